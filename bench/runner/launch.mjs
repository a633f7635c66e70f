/** @file Which process runs a competitor, or why none can here. */
import { join, resolve } from "node:path";

const bench = join(import.meta.dirname, "..");

/**
 * @param {import("../groups/group.mjs").Competitor} competitor
 * @param {{ threads: number, python: import("./python.mjs").Python, llama?: string, instructions: readonly string[], warmSeconds: number }} place
 * @returns {{ file: string, args: string[], env: Record<string, string> } | { unavailable: string }}
 */
export function commandOf({ program, job, env = {}, instructions }, place) {
  const { threads, python, llama, instructions: cpu, warmSeconds } = place;
  if (instructions && !cpu.includes(instructions)) return { unavailable: `this CPU has no ${instructions}` };
  if (program === "llama" && !llama) return { unavailable: "no folder with node-llama-cpp was named" };
  const argument = JSON.stringify({
    threads,
    warmSeconds,
    ...(program === "llama" ? { llama: resolve(llama) } : {}),
    ...job,
  });
  if (program !== "python")
    return { file: process.execPath, args: ["--expose-gc", join(bench, `workers/${program}.mjs`), argument], env };
  if (!python.usable) return { unavailable: python.reason };
  return {
    file: python.path,
    args: ["-B", join(bench, "python/worker.py"), argument], // -B: no compiled files beside the sources
    env: { ...threadLimits(threads), ...env },
  };
}

/** What the libraries under NumPy and PyTorch read at their start. */
const threadLimits = (threads) =>
  Object.fromEntries(
    ["OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"].map((name) => [name, String(threads)]),
  );
