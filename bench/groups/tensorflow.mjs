/**
 * @file Training steps on the engine tensorflow, beside a naive model of tfjs's core operations on the same libtensorflow; and the
 * native engine beside both.
 */
import { trainingFlop } from "./flop.mjs";
import { trainingJobs } from "./training.mjs";

const naive = "naive tfjs, libtensorflow";

/** @returns {import("./group.mjs").Group[]} */
export const tensorflowGroups = (sizes) => trainingJobs(sizes).map(group);

function group({ name: size, job: shape }, i) {
  const job = { kind: "training", precision: "float32", ...shape };
  const ours = (engine) => ({ name: `softbox ${engine}`, program: "softbox", job: { ...job, engine } });
  const row = { precision: "float32" };
  return {
    name: `tensorflow, ${size}`,
    flop: trainingFlop(shape),
    competitors: [
      ours("tensorflow"),
      ours("native"),
      { name: naive, program: "tfjs", job: { ...job, backend: "tensorflow" } },
    ],
    rows: [
      // Of the small model at most 0.7 of the naive one's time is wanted.
      {
        ...row,
        name: `tensorflow, ${size}`,
        ours: "softbox tensorflow",
        peers: [naive],
        wanted: i ? {} : { speed: 1 / 0.7 },
      },
      {
        ...row,
        name: `native beside tensorflow, ${size}`,
        ours: "softbox native",
        peers: ["softbox tensorflow", naive],
      },
    ],
  };
}
