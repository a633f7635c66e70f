/** @file Training steps on the engine webgpu beside the native engine. At full size only a GPU is asked: in software a step takes many seconds. */
import { trainingFlop } from "./flop.mjs";
import { trainingJobs } from "./training.mjs";

/** @returns {import("./group.mjs").Group[]} */
export const webgpuGroups = (sizes) => trainingJobs(sizes).map(({ name, job }) => group(name, job, sizes === "full"));

function group(size, shape, gpu) {
  const job = { kind: "training", precision: "float32", ...shape };
  const [ours, native] = ["softbox webgpu", "softbox native"];
  const row = { precision: "float32", wanted: {} };
  return {
    name: `webgpu, ${size}`,
    flop: trainingFlop(shape),
    competitors: [
      { name: ours, program: "softbox", job: { ...job, engine: "webgpu", gpu } },
      { name: native, program: "softbox", job: { ...job, engine: "native" } },
    ],
    rows: [
      { ...row, name: `webgpu, ${size}`, ours, peers: [native] },
      { ...row, name: `native beside webgpu, ${size}`, ours: native, peers: [ours] },
    ],
  };
}
