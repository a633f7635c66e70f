/** @file Which process runs a competitor, or why none can here. */
import { join } from "node:path";

const bench = join(import.meta.dirname, "..");

/**
 * @param {import("../groups/group.mjs").Competitor} competitor
 * @param {{ threads: number, python: import("./python.mjs").Python, instructions: readonly string[] }} place
 * @returns {{ file: string, args: string[], env: Record<string, string> } | { unavailable: string }}
 */
export function commandOf({ program, job, env = {}, instructions }, { threads, python, instructions: cpu }) {
  if (instructions && !cpu.includes(instructions)) return { unavailable: `this CPU has no ${instructions}` };
  const argument = JSON.stringify({ threads, ...job });
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
