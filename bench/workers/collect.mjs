// Imported before a program that runs with --expose-gc: every ten seconds each thread collects its garbage, and the main thread writes down
// what is left of its heap, in MB, into the file named by SOFTBOX_SOAK.
import { appendFileSync } from "node:fs";
import { isMainThread } from "node:worker_threads";

setInterval(() => {
  globalThis.gc();
  globalThis.gc();
  if (isMainThread) appendFileSync(process.env.SOFTBOX_SOAK, `${process.memoryUsage().heapUsed / 2 ** 20}\n`);
}, 10_000).unref();
