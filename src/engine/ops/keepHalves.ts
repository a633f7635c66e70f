/**
 * @file Lets an engine that rounds products to bfloat16 keep a matrix in that form: a text that is written token by token reads
 * every matrix once a token, and then half the bytes. The numbers are those that the product would have rounded to anyway.
 */
import * as tf from "@tensorflow/tfjs";
import { type FusedKernel, runFused } from "../fused.ts";

/**
 * Keeps a copy of `matrix` until it changes or is disposed, where products round to bfloat16 and the engine can.
 *
 * @param matrix - the right side of products to come, any rank. Not disposed, not changed.
 * @returns whether there is a copy now.
 */
export function keepHalves(matrix: tf.Tensor): boolean {
  const kept = runFused<tf.Scalar>("SoftboxKeepHalves", { x: matrix });
  const answer = kept.dataSync()[0] === 1;
  kept.dispose();
  return answer;
}

export const keepHalvesKernels: readonly FusedKernel[] = [{ name: "SoftboxKeepHalves", composite: () => tf.scalar(0) }];
