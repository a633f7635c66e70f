/** @file A thread behind a screen. What it or its libraries print goes nowhere: it would tear the screen. */
import { SHARE_ENV, Worker } from "node:worker_threads";

/**
 * Megabytes for a thread's short-lived objects, a third of V8's own limit: tensors are outside of it, and garbage that V8 lets lie as it
 * pleases looks like growth.
 */
const maxYoungGenerationSizeMb = 16;

export function startWorker(file: URL, workerData: unknown): Worker {
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
