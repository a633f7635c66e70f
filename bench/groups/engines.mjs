/** @file nano-char's training step on every engine of softbox, beside a naive tfjs program on tfjs's own wasm backend. */
import { trainingFlop } from "./flop.mjs";
import { nanoCharJob } from "./training.mjs";

/** `instructions` is what SOFTBOX_INSTRUCTIONS holds the native engine to. */
const engines = [
  { name: "native", engine: "native", precision: "float32" },
  { name: "native, bfloat16", engine: "native", precision: "bfloat16" },
  { name: "native, avx2", engine: "native", precision: "float32", instructions: "avx2" },
  { name: "native, portable", engine: "native", precision: "float32", instructions: "portable" },
  { name: "wasm", engine: "wasm", precision: "float32", wanted: { speed: 5 } },
  { name: "tensorflow", engine: "tensorflow", precision: "float32" },
  { name: "cpu", engine: "cpu", precision: "float32" },
];

const peer = "naive tfjs, wasm";

/** @returns {import("./group.mjs").Group[]} */
export function engineGroups(sizes) {
  const shape = nanoCharJob(sizes);
  const job = { kind: "training", warmup: 1, ...shape };
  const ours = engines.map(({ name, engine, precision, instructions }) => ({
    name: `softbox ${name}`,
    program: "softbox",
    job: { ...job, engine, precision },
    ...(instructions ? { env: { SOFTBOX_INSTRUCTIONS: instructions } } : {}),
  }));
  const rows = engines.map(({ name, precision, wanted = {} }) => ({
    name: `engine ${name}, nano-char`,
    ours: `softbox ${name}`,
    peers: [peer],
    precision,
    wanted,
  }));
  const naive = { name: peer, program: "tfjs", job };
  return [{ name: "engines, nano-char", flop: trainingFlop(shape), competitors: [...ours, naive], rows, rounds: 3 }];
}
