/** @file One matrix product `[m, k] · [k, n]`; an operand that is transposed lies in memory the other way round. */
import * as tf from "@tensorflow/tfjs";
import { noise } from "../noise.mjs";

export function prepareMatmul({ m, k, n, transposeA, transposeB }) {
  const a = tf.tensor2d(noise(m * k), transposeA ? [k, m] : [m, k]);
  const b = tf.tensor2d(noise(k * n, 1, 2), transposeB ? [n, k] : [k, n]);
  return () => tf.dispose(tf.matMul(a, b, transposeA, transposeB));
}
