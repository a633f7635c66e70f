/** @file Training steps: forward, backward, clipping and AdamW, beside the same model in PyTorch. */
import { trainingFlop } from "./flop.mjs";
import { eagerAndCompiled, native, precisions } from "./group.mjs";

const nanoChar = { layers: 4, width: 128, heads: 4, context: 64, batch: 12, vocabulary: 65 };

/** Sizes, and what is wanted: at least so many times the fastest PyTorch, at most that share of its memory. */
const full = [
  { name: "nano-char: 4 × 128, context 64, batch 12", job: nanoChar, float32: { speed: 1.5 }, bfloat16: { speed: 2 } },
  {
    name: "6 × 384, context 256, batch 4",
    job: { layers: 6, width: 384, heads: 6, context: 256, batch: 4, vocabulary: 65 },
    float32: { speed: 1.2 },
    bfloat16: { speed: 1.3 },
  },
  {
    name: "4 × 128, context 64, batch 12, V = 50,257",
    job: { ...nanoChar, vocabulary: 50_257 },
    float32: { speed: 1.4, peak: 1 / 3 },
    bfloat16: { speed: 1.5, peak: 1 / 3 },
  },
];

const tiny = [
  { name: "1 × 8, context 4, batch 2", job: { layers: 1, width: 8, heads: 2, context: 4, batch: 2, vocabulary: 11 } },
];

/** @returns {import("./group.mjs").Group[]} */
export function trainingGroups(sizes) {
  return (sizes === "tiny" ? tiny : full).flatMap((entry) => precisions.map((precision) => group(entry, precision)));
}

function group({ name: size, job, ...wanted }, precision) {
  const name = `training step, ${size}, ${precision}`;
  const whole = { kind: "training", precision, ...job };
  const peers = eagerAndCompiled(whole);
  const row = { name, ours: "softbox", peers: peers.map((peer) => peer.name), precision, wanted: wanted[precision] };
  return { name, flop: trainingFlop(job), competitors: [native(whole), ...peers], rows: [row] };
}

/** Names and shapes of all models, for other groups. */
export const trainingJobs = (sizes) => (sizes === "tiny" ? tiny : full).map(({ name, job }) => ({ name, job }));

/** nano-char as every engine runs it. */
export const nanoCharJob = (sizes) => (sizes === "tiny" ? tiny[0].job : nanoChar);
