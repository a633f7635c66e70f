/** @file Numbers of tensors, read as every engine can: without dataSync, which a GPU's does not have. */
import * as tf from "@tensorflow/tfjs";

/** The numbers of what `make` makes; nothing that it makes is left behind. */
export async function readAll(make: () => readonly tf.Tensor[]): Promise<Float32Array[]> {
  const tensors = tf.tidy(() => [...make()]);
  const values = await Promise.all(tensors.map((tensor) => tensor.data<"float32">()));
  const copies = values.map((array) => array.slice()); // an engine may hand out the tensor's own memory
  tf.dispose(tensors);
  return copies;
}

export async function read(make: () => tf.Tensor): Promise<Float32Array> {
  const [values] = await readAll(() => [make()]);
  return values!;
}

/** The rows of a matrix. */
export async function readRows(make: () => tf.Tensor2D): Promise<number[][]> {
  const matrix = tf.tidy(make);
  const rows = await matrix.array();
  matrix.dispose();
  return rows;
}
