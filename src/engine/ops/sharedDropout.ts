/**
 * @file Variational dropout: one mask a sequence, the same at every time step (Gal and Ghahramani 2016,
 * https://arxiv.org/abs/1512.05287). Like `dropout`, the mask is a function of a key and is regenerated, not kept.
 */
import * as tf from "@tensorflow/tfjs";
import { type FusedKernel, runFused } from "../fused.ts";
import type { RandomKey } from "../random.ts";
import { expectShape } from "../shapes.ts";
import { dropout } from "./dropout.ts";

/**
 * Sets a share `rate` of each sequence's features to zero at all its steps, and scales the rest by `1 / (1 − rate)`.
 *
 * @param x - `[B, T, n]`. Not disposed.
 * @param rate - in [0, 1); 0 gives `x` back unchanged.
 * @param key - selects the mask, which is that of `dropout` over `[B, n]`.
 * @returns same shape, owned by the caller.
 */
export function sharedDropout(x: tf.Tensor3D, rate: number, key: RandomKey): tf.Tensor3D {
  expectShape("sharedDropout x", x, [null, null, null]);
  if (rate === 0) return tf.clone(x);
  return runFused("SoftboxSharedDropout", { x }, { rate, key0: key[0], key1: key[1] });
}

export const sharedDropoutKernels: readonly FusedKernel[] = [
  {
    name: "SoftboxSharedDropout",
    composite: ({ x }, { rate, key0, key1 }) => {
      const [B, , n] = x!.shape as [number, number, number];
      const mask = dropout(tf.ones([B, 1, n]), rate as number, [key0 as number, key1 as number]); // [B, 1, n]
      return tf.mul(x!, mask);
    },
    gradient: {
      compute: ([dy], _saved, attributes) => ({ x: runFused("SoftboxSharedDropout", { x: dy! }, attributes) }),
    },
  },
];
