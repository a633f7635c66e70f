/** @file A thread behind a screen. What it or its libraries print goes nowhere: it would tear the screen. */
import { Worker } from "node:worker_threads";

export function startWorker(file: URL, workerData: unknown): Worker {
  const worker = new Worker(file, { workerData, stdout: true, stderr: true });
  worker.stdout.resume();
  worker.stderr.resume();
  return worker;
}
