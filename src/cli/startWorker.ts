/** @file A thread behind a screen. What it or its libraries print goes nowhere: it would tear the screen. */
import { setFlagsFromString } from "node:v8";
import { SHARE_ENV, Worker } from "node:worker_threads";

/**
 * Megabytes for a thread's short-lived objects, a third of V8's own limit: tensors are outside of it, and garbage that V8 lets lie as it
 * pleases looks like growth.
 */
const maxYoungGenerationSizeMb = 16;

/**
 * By how many per cent of what is alive a heap may grow before its garbage is collected. By default V8 lets a small heap triple, which
 * under a screen that is drawn for hours looks like growth too; a collection of so little takes some 20 ms, most of it on other threads.
 */
const heapGrowth = 20;

export function startWorker(file: URL, workerData: unknown): Worker {
  setFlagsFromString(`--heap-growing-percent=${heapGrowth}`);
  const worker = new Worker(file, {
    workerData,
    stdout: true,
    stderr: true,
    env: SHARE_ENV, // what an engine sets for a C++ library that reads the environment must reach the process's own
    resourceLimits: { maxYoungGenerationSizeMb },
  });
  worker.stdout.resume();
  worker.stderr.resume();
  return worker;
}
