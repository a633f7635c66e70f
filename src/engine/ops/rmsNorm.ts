/** @file Root-mean-square normalisation (Zhang and Sennrich 2019, https://arxiv.org/abs/1910.07467, eq. 4). */
import * as tf from "@tensorflow/tfjs";
import { type FusedKernel, runFused, runFusedMany } from "../fused.ts";
import { expectShape, type NE } from "../shapes.ts";

/** Added to the mean of squares, as in LLaMA. */
const epsilon = 1e-5;

/**
 * `x / √(mean(x²) + 1e-5) · gain` over the last axis: a layer norm without mean and bias.
 *
 * @param x - `[N, E]`. Not disposed.
 * @param gain - `[E]`.
 * @returns `[N, E]`, owned by the caller.
 */
export function rmsNorm(x: NE, gain: tf.Tensor1D): NE {
  expectShape("rmsNorm gain", gain, [x.shape[1]]);
  return runFused("SoftboxRmsNorm", { x, gain }, { epsilon });
}

/** `1 / √(mean(x²) + ε)`, `[N, 1]`. */
const inverseRms = (x: tf.Tensor, added: number): tf.Tensor => tf.rsqrt(tf.add(tf.mean(tf.square(x), -1, true), added));

export const rmsNormKernels: readonly FusedKernel[] = [
  {
    name: "SoftboxRmsNorm",
    composite: ({ x, gain }, attributes) => tf.mul(tf.mul(x!, inverseRms(x!, attributes.epsilon as number)), gain!),
    gradient: {
      inputsToSave: ["x", "gain"],
      compute: ([dy], [x, gain], attributes) => {
        const [dx, dGain] = runFusedMany("SoftboxRmsNormGrad", { dy: dy!, x: x!, gain: gain! }, attributes);
        return { x: dx!, gain: dGain! };
      },
    },
  },
  {
    name: "SoftboxRmsNormGrad",
    composite: ({ dy, x, gain }, attributes) => {
      const inverse = inverseRms(x!, attributes.epsilon as number);
      const standard = tf.mul(x!, inverse); // [N, E]
      const scaled = tf.mul(dy!, gain!); // [N, E]
      const along = tf.mul(standard, tf.mean(tf.mul(scaled, standard), -1, true)); // [N, E]
      return [tf.mul(inverse, tf.sub(scaled, along)), tf.sum(tf.mul(dy!, standard), 0)];
    },
  },
];
