/** @file Output heads alone over a large vocabulary: one softmax, mixtures of softmaxes, beside plain ones in PyTorch. */
import { headFlop } from "./flop.mjs";
import { eagerAndCompiled, native, precisions, python } from "./group.mjs";

const shapes = {
  full: { tokens: 768, width: 128, vocabulary: 50_257 },
  tiny: { tokens: 6, width: 8, vocabulary: 11 },
};

/** A plain mixture of 8 needs gigabytes and seconds, hence what is wanted of ours, and few rounds. */
const wantedOfMixture = { float32: { speed: 3, extra: 1 / 15 }, bfloat16: { speed: 5, extra: 1 / 15 } };

const headName = (mixtures, precision) =>
  `head alone, ${mixtures ? `mixture of ${mixtures}` : "softmax"}, ${precision}`;

/** @returns {import("./group.mjs").Group[]} */
export function headGroups(sizes) {
  const mixtures = sizes === "tiny" ? [2] : [0, 1, 8, 15];
  return mixtures.flatMap((K) => precisions.map((precision) => group(K, precision, sizes)));
}

function group(mixtures, precision, sizes) {
  const job = { kind: "head", precision, mixtures, ...shapes[sizes] };
  const peers = peersOf(job);
  const name = headName(mixtures, precision);
  const row = { name, ours: "softbox", peers: peers.map((peer) => peer.name), precision, wanted: wantedOf(job) };
  const rounds = mixtures > 1 ? { rounds: 5 } : {};
  return { name, flop: headFlop(job), competitors: [native(job), ...peers], rows: [row], ...rounds };
}

function peersOf(job) {
  if (job.mixtures === 0) return eagerAndCompiled(job);
  return job.mixtures === 8 || job.mixtures === 2
    ? [python("PyTorch eager", { ...job, compile: false, warmup: 1 })]
    : [];
}

function wantedOf({ mixtures, precision }) {
  if (mixtures === 8) return wantedOfMixture[precision];
  return mixtures === 15 ? { peakMiB: 1024 } : {};
}

/** @returns {import("./group.mjs").Check[]} */
export const headChecks = (sizes) =>
  sizes === "tiny"
    ? []
    : precisions.map((precision) => ({
        name: `extra memory of a mixture of 8 against a mixture of 1, ${precision}`,
        row: headName(8, precision),
        against: headName(1, precision),
        atMost: 1.5,
      }));
