/** @file Layer normalisation (Ba, Kiros and Hinton 2016, https://arxiv.org/abs/1607.06450, eq. 4). */
import * as tf from "@tensorflow/tfjs";
import { type FusedKernel, runFused, runFusedMany } from "../fused.ts";
import { expectShape, type NE } from "../shapes.ts";

/** Added to the variance, as in GPT-2. */
const epsilon = 1e-5;

/**
 * `(x − mean) / √(variance + 1e-5) · gain + bias` over the last axis.
 *
 * @param x - `[N, E]`. Not disposed.
 * @param gain - `[E]`.
 * @param bias - `[E]`.
 * @returns `[N, E]`, owned by the caller.
 */
export function layerNorm(x: NE, gain: tf.Tensor1D, bias: tf.Tensor1D): NE {
  const E = x.shape[1];
  expectShape("layerNorm gain", gain, [E]);
  expectShape("layerNorm bias", bias, [E]);
  return runFused("SoftboxLayerNorm", { x, gain, bias }, { epsilon });
}

/** `(x − mean) / √(variance + ε)` and `1 / √(variance + ε)`, both for rows. */
function standardise(x: tf.Tensor, epsilonValue: number): { standard: tf.Tensor; inverse: tf.Tensor } {
  const centred = tf.sub(x, tf.mean(x, -1, true)); // [N, E]
  const variance = tf.mean(tf.square(centred), -1, true); // [N, 1]
  const inverse = tf.rsqrt(tf.add(variance, epsilonValue)); // [N, 1]
  return { standard: tf.mul(centred, inverse), inverse };
}

export const layerNormKernels: readonly FusedKernel[] = [
  {
    name: "SoftboxLayerNorm",
    composite: ({ x, gain, bias }, attributes) => {
      const { standard } = standardise(x!, attributes.epsilon as number);
      return tf.add(tf.mul(standard, gain!), bias!);
    },
    gradient: {
      inputsToSave: ["x", "gain"],
      compute: ([dy], [x, gain], attributes) => {
        const [dx, dGain, dBias] = runFusedMany("SoftboxLayerNormGrad", { dy: dy!, x: x!, gain: gain! }, attributes);
        return { x: dx!, gain: dGain!, bias: dBias! };
      },
    },
  },
  {
    name: "SoftboxLayerNormGrad",
    composite: ({ dy, x, gain }, attributes) => {
      const { standard, inverse } = standardise(x!, attributes.epsilon as number);
      const scaled = tf.mul(dy!, gain!); // [N, E]
      const along = tf.mul(standard, tf.mean(tf.mul(scaled, standard), -1, true)); // [N, E]
      const dx = tf.mul(inverse, tf.sub(tf.sub(scaled, tf.mean(scaled, -1, true)), along));
      return [dx, tf.sum(tf.mul(dy!, standard), 0), tf.sum(dy!, 0)];
    },
  },
];
