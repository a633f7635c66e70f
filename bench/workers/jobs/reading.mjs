/** @file So many bytes read once from memory: a vector times a matrix of float32 numbers, which is little else. */
import * as tf from "@tensorflow/tfjs";
import { noise } from "../noise.mjs";

const rows = 1024;

export function prepareReading({ bytes }) {
  const columns = Math.max(1, Math.round(bytes / 4 / rows));
  const matrix = tf.tensor2d(noise(rows * columns, 1), [rows, columns]);
  const vector = tf.tensor2d(noise(rows, 1), [1, rows]);
  return async () => {
    const product = tf.matMul(vector, matrix);
    await product.data();
    product.dispose();
  };
}
