/** @file The affine map every layer is made of. */
import * as tf from "@tensorflow/tfjs";
import { type FusedKernel, runFused } from "../fused.ts";
import { expectShape } from "../shapes.ts";

/**
 * `x · kernel + bias`.
 *
 * @param x - `[N, I]`. Not disposed.
 * @param kernel - `[I, O]`, GPT-2's orientation.
 * @param bias - `[O]`, or nothing.
 * @returns `[N, O]`, owned by the caller.
 */
export function linear(x: tf.Tensor2D, kernel: tf.Tensor2D, bias?: tf.Tensor1D): tf.Tensor2D {
  expectShape("linear kernel", kernel, [x.shape[1], null]);
  if (!bias) return tf.matMul(x, kernel);
  expectShape("linear bias", bias, [kernel.shape[1]]);
  return runFused("SoftboxLinear", { x, kernel, bias });
}

export const linearKernels: readonly FusedKernel[] = [
  {
    name: "SoftboxLinear",
    composite: ({ x, kernel, bias }) =>
      runFused("_FusedMatMul", { a: x!, b: kernel!, bias: bias! }, {
        transposeA: false,
        transposeB: false,
        activation: "linear",
      } as never),
    gradient: {
      inputsToSave: ["x", "kernel"],
      compute: ([dy], [x, kernel]) => ({
        x: tf.matMul(dy!, kernel!, false, true), // [N, I]
        kernel: tf.matMul(x!, dy!, true, false), // [I, O]
        bias: runFused("SoftboxColumnSum", { x: dy! }), // [O]
      }),
    },
  },
  { name: "SoftboxColumnSum", composite: ({ x }) => tf.sum(x!, 0) },
];
