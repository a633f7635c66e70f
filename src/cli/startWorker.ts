/** @file A thread behind a screen. What it or its libraries print goes nowhere: it would tear the screen. */
import { SHARE_ENV, Worker } from "node:worker_threads";

export function startWorker(file: URL, workerData: unknown): Worker {
  // What an engine sets for a C++ library that reads the environment must reach the process's own.
  const worker = new Worker(file, { workerData, stdout: true, stderr: true, env: SHARE_ENV });
  worker.stdout.resume();
  worker.stderr.resume();
  return worker;
}
