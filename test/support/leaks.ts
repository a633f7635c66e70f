/** @file Counts what stays behind. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import * as tf from "@tensorflow/tfjs";

/** How many more tensors there are after `work` than before it. */
export async function tensorsLeft(work: () => unknown): Promise<number> {
  const before = tf.memory().numTensors;
  await work();
  return tf.memory().numTensors - before;
}

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Bytes in use after a collection: JavaScript's objects, typed arrays, and the whole process. */
export function memoryInUse(): { heap: number; arrays: number; resident: number } {
  collect();
  collect(); // what has a finaliser goes at the second
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: heapUsed, arrays: external, resident: rss };
}
