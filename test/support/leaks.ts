/** @file Counts what stays behind. */
import * as tf from "@tensorflow/tfjs";

/** How many more tensors there are after `work` than before it. */
export async function tensorsLeft(work: () => unknown): Promise<number> {
  const before = tf.memory().numTensors;
  await work();
  return tf.memory().numTensors - before;
}
