/** @file The affine map every layer is made of, alone, with a residual sum or with GELU as its last step. */
import * as tf from "@tensorflow/tfjs";
import { type FusedGradient, type FusedKernel, type Inputs, runFused, runFusedMany, withGradient } from "../fused.ts";
import { expectShape } from "../shapes.ts";

/**
 * `x · kernel + bias + residual`.
 *
 * @param x - `[N, I]`. Not disposed.
 * @param kernel - `[I, O]`, GPT-2's orientation.
 * @param bias - `[O]`, or nothing.
 * @param residual - `[N, O]`, or nothing.
 * @returns `[N, O]`, owned by the caller.
 */
export function linear(x: tf.Tensor2D, kernel: tf.Tensor2D, bias?: tf.Tensor1D, residual?: tf.Tensor2D): tf.Tensor2D {
  expectShape("linear kernel", kernel, [x.shape[1], null]);
  const O = kernel.shape[1];
  if (residual) expectShape("linear residual", residual, [x.shape[0], O]);
  if (!bias) return residual ? tf.add(tf.matMul(x, kernel), residual) : tf.matMul(x, kernel);
  expectShape("linear bias", bias, [O]);
  if (residual) return runFused("SoftboxLinearResidual", { x, kernel, bias, residual });
  return runFused("SoftboxLinear", { x, kernel, bias });
}

/**
 * `GELU(x · kernel + bias)` in GELU's tanh form; GELU's derivative there is kept for the backward pass.
 *
 * @param x - `[N, I]`. Not disposed.
 * @param kernel - `[I, O]`.
 * @param bias - `[O]`.
 * @returns `[N, O]`, owned by the caller.
 */
export function linearGelu(x: tf.Tensor2D, kernel: tf.Tensor2D, bias: tf.Tensor1D): tf.Tensor2D {
  expectShape("linearGelu kernel", kernel, [x.shape[1], null]);
  expectShape("linearGelu bias", bias, [kernel.shape[1]]);
  const forward = ([xIn, kernelIn, biasIn]: readonly tf.Tensor[]) => {
    const [value, slope] = runFusedMany("SoftboxLinearGelu", { x: xIn!, kernel: kernelIn!, bias: biasIn! });
    return { value: value!, saved: [xIn!, kernelIn!, slope!] };
  };
  const backward = (dy: tf.Tensor, [savedX, savedKernel, slope]: readonly tf.Tensor[]): tf.Tensor[] =>
    runFusedMany("SoftboxLinearGrad", { dy, x: savedX!, kernel: savedKernel!, slope: slope! });
  return withGradient([x, kernel, bias], forward, backward) as tf.Tensor2D;
}

/**
 * `tanh(x · kernel + bias)`. Only the result is kept for the backward pass, and no more than two arrays of its size exist at a
 * time beside it.
 *
 * @param x - `[N, I]`. Not disposed.
 * @param kernel - `[I, O]`.
 * @param bias - `[O]`.
 * @returns `[N, O]`, owned by the caller.
 */
export function linearTanh(x: tf.Tensor2D, kernel: tf.Tensor2D, bias: tf.Tensor1D): tf.Tensor2D {
  expectShape("linearTanh kernel", kernel, [x.shape[1], null]);
  expectShape("linearTanh bias", bias, [kernel.shape[1]]);
  const forward = ([xIn, kernelIn, biasIn]: readonly tf.Tensor[]) => {
    const before = runFused("SoftboxLinear", { x: xIn!, kernel: kernelIn!, bias: biasIn! });
    const value = tf.tanh(before);
    before.dispose();
    return { value, saved: [xIn!, kernelIn!, value] };
  };
  const backward = (dy: tf.Tensor, [savedX, savedKernel, y]: readonly tf.Tensor[]): tf.Tensor[] => {
    const slope = tanhGradient(dy, y!); // [N, O]
    const gradients = runFusedMany("SoftboxLinearGrad", { dy: slope, x: savedX!, kernel: savedKernel! });
    slope.dispose();
    return gradients;
  };
  return withGradient([x, kernel, bias], forward, backward) as tf.Tensor2D;
}

/** `dy (1 − y²)`, each step's array freed as soon as the next is there. */
function tanhGradient(dy: tf.Tensor, y: tf.Tensor): tf.Tensor {
  const square = tf.square(y);
  const slope = tf.sub(1, square);
  square.dispose();
  const result = tf.mul(dy, slope);
  slope.dispose();
  return result;
}

const affine = ({ x, kernel, bias }: Inputs): tf.Tensor =>
  runFused("_FusedMatMul", { a: x!, b: kernel!, bias: bias! }, {
    transposeA: false,
    transposeB: false,
    activation: "linear",
  } as never);

/** All gradients in one kernel. */
const gradient = (residual: boolean): FusedGradient => ({
  inputsToSave: ["x", "kernel"],
  compute: ([dy], [x, kernel]) => {
    const [dx, dKernel, dBias] = runFusedMany("SoftboxLinearGrad", { dy: dy!, x: x!, kernel: kernel! });
    return { x: dx!, kernel: dKernel!, bias: dBias!, ...(residual ? { residual: tf.clone(dy!) } : {}) };
  },
});

export const linearKernels: readonly FusedKernel[] = [
  { name: "SoftboxLinear", composite: affine, gradient: gradient(false) },
  {
    name: "SoftboxLinearResidual",
    composite: (inputs) => tf.add(affine(inputs), inputs.residual!),
    gradient: gradient(true),
  },
  {
    name: "SoftboxLinearGelu",
    composite: (inputs) => {
      const before = affine(inputs); // [N, O]
      const slope = runFused("SoftboxGeluGrad", { dy: tf.onesLike(before), x: before });
      return [runFused("SoftboxGelu", { x: before }), slope];
    },
  },
  {
    // `slope`: of the activation that y went through, if any.
    name: "SoftboxLinearGrad",
    composite: ({ dy, x, kernel, slope }) => {
      const back = slope ? tf.mul(dy!, slope) : dy!; // [N, O]
      return [
        tf.matMul(back, kernel!, false, true), // [N, I]
        tf.matMul(x!, back, true, false), // [I, O]
        tf.sum(back, 0), // [O]
      ];
    },
  },
];
