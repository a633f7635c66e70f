/** @file Inverted dropout whose mask is a function of a key, so that it is regenerated instead of kept. */
import * as tf from "@tensorflow/tfjs";
import { type FusedKernel, runFused } from "../fused.ts";
import { type RandomKey, threefry } from "../random.ts";

/**
 * Sets a share `rate` of the elements to zero and scales the rest by `1 / (1 − rate)`
 * (Srivastava et al. 2014, JMLR 15).
 *
 * @param x - any shape. Not disposed.
 * @param rate - in [0, 1); 0 gives `x` back unchanged.
 * @param key - selects the mask; the same key gives the same mask on every engine.
 * @returns same shape, owned by the caller.
 */
export function dropout<T extends tf.Tensor>(x: T, rate: number, key: RandomKey): T {
  if (rate === 0) return tf.clone(x);
  return runFused<T>("SoftboxDropout", { x }, { rate, key0: key[0], key1: key[1] });
}

/** Element `i` is kept where word `i mod 2` of `threefry(key, ⌊i/2⌋)` reaches `rate · 2³²`. */
function scaledMask(size: number, rate: number, key: RandomKey): Float32Array {
  const threshold = Math.floor(rate * 2 ** 32);
  const kept = 1 / (1 - rate);
  const mask = new Float32Array(size);
  for (let i = 0; i < size; i += 2) {
    const [a, b] = threefry(key, i / 2, 0);
    mask[i] = a >= threshold ? kept : 0;
    if (i + 1 < size) mask[i + 1] = b >= threshold ? kept : 0;
  }
  return mask;
}

export const dropoutKernels: readonly FusedKernel[] = [
  {
    name: "SoftboxDropout",
    composite: ({ x }, { rate, key0, key1 }) =>
      tf.mul(x!, tf.tensor(scaledMask(x!.size, rate as number, [key0 as number, key1 as number]), x!.shape)),
    gradient: {
      compute: ([dy], _saved, attributes) => ({ x: runFused("SoftboxDropout", { x: dy! }, attributes) }),
    },
  },
];
