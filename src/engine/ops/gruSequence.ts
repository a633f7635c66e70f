/**
 * @file A layer of gated recurrent units over whole sequences (Cho et al. 2014, https://arxiv.org/abs/1406.1078), in the form
 * that applies the reset gate after the product, as cuDNN and PyTorch do. Products with inputs come from outside.
 */
import * as tf from "@tensorflow/tfjs";
import { type FusedKernel, type Inputs, runFusedMany, withGradient } from "../fused.ts";
import { type BTG, type BTU, type BU, expectShape } from "../shapes.ts";
import { joinSteps, lastStep, logisticSlope, recurrentGradient, stepsOf, tanhSlope } from "./sequenceSteps.ts";

/**
 * For each step, with `q = h · kernel + bias` and `gates_t` both cut in three: `r, z = σ(gates + q)`,
 * `n = tanh(gates_n + r q_n)`, `h ← (1 − z) n + z h`.
 *
 * @param gates - `[B, T, 3U]`: `x W + b` of r, z, n (PyTorch's order). Not disposed.
 * @param kernel - `[U, 3U]`, the recurrent weights.
 * @param bias - `[3U]`, the recurrent bias.
 * @param state - `h` before the first step.
 * @returns `h` of every step, `[B, T, U]`, and that of the last, `[B, U]`, owned by the caller.
 */
export function gruSequence(gates: BTG, kernel: tf.Tensor2D, bias: tf.Tensor1D, state: BU): { hidden: BTU; state: BU } {
  const U = kernel.shape[0];
  expectShape("gruSequence kernel", kernel, [U, 3 * U]);
  expectShape("gruSequence bias", bias, [3 * U]);
  expectShape("gruSequence gates", gates, [null, null, 3 * U]);
  expectShape("gruSequence state", state, [gates.shape[0], U]);
  const forward = ([g, k, b, h]: readonly tf.Tensor[]) => {
    const [value, trace] = runFusedMany("SoftboxGru", { gates: g!, kernel: k!, bias: b!, hidden: h! });
    return { value: value!, saved: [k!, h!, value!, trace!] };
  };
  const backward = (dOutput: tf.Tensor, [k, h, output, trace]: readonly tf.Tensor[]): tf.Tensor[] =>
    runFusedMany("SoftboxGruGrad", { dOutput, kernel: k!, hidden: h!, output: output!, trace: trace! });
  const hidden = withGradient([gates, kernel, bias, state], forward, backward) as BTU;
  return { hidden, state: lastStep(hidden) };
}

/** What the backward pass needs of each step, side by side: r, z, n and q_n, `[B, 4U]`. */
function forwardSteps(inputs: Inputs): tf.Tensor[] {
  const { gates, kernel, bias } = inputs as { gates: BTG; kernel: tf.Tensor2D; bias: tf.Tensor1D };
  let { hidden } = inputs as { hidden: BU };
  const outputs: tf.Tensor2D[] = [];
  const traces: tf.Tensor2D[] = [];
  for (const step of stepsOf(gates)) {
    const [xr, xz, xn] = tf.split(step, 3, 1);
    const [qr, qz, qn] = tf.split(tf.add(tf.matMul(hidden, kernel), bias), 3, 1); // 3 × [B, U]
    const [r, z] = [tf.sigmoid(tf.add(xr!, qr!)), tf.sigmoid(tf.add(xz!, qz!))];
    const n = tf.tanh(tf.add(xn!, tf.mul(r, qn!)));
    hidden = tf.add(n, tf.mul(z, tf.sub(hidden, n)));
    outputs.push(hidden);
    traces.push(tf.concat([r, z, n, qn!], 1) as tf.Tensor2D); // [B, 4U]
  }
  return [joinSteps(outputs), joinSteps(traces)];
}

interface Saved {
  readonly dOutput: BTU;
  readonly kernel: tf.Tensor2D;
  readonly hidden: BU;
  readonly output: BTU;
  readonly trace: tf.Tensor3D;
}

/** One step back: gradients of `gates_t`, of `q`, and what of `dh` goes past the gates. */
function stepBack(trace: readonly tf.Tensor[], hiddenBefore: tf.Tensor, dh: tf.Tensor) {
  const [r, z, n, qn] = trace as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
  const dn = tf.mul(tf.mul(dh, tf.sub(1, z)), tanhSlope(n));
  const dr = tf.mul(tf.mul(dn, qn), logisticSlope(r));
  const dz = tf.mul(tf.mul(dh, tf.sub(hiddenBefore, n)), logisticSlope(z));
  return {
    dGates: tf.concat([dr, dz, dn], 1) as tf.Tensor2D, // [B, 3U]
    dProduct: tf.concat([dr, dz, tf.mul(dn, r)], 1) as tf.Tensor2D, // [B, 3U]
    past: tf.mul(dh, z),
  };
}

function backwardSteps(inputs: Inputs): tf.Tensor[] {
  const { dOutput, kernel, hidden, output, trace } = inputs as unknown as Saved;
  const dSteps = stepsOf(dOutput);
  const outputs = stepsOf(output);
  const traces = stepsOf(trace).map((x) => tf.split(x, 4, 1));
  let dHidden: BU = tf.zerosLike(hidden);
  const [gateSteps, productSteps]: [tf.Tensor2D[], tf.Tensor2D[]] = [[], []];
  for (let t = dSteps.length - 1; t >= 0; t--) {
    const back = stepBack(traces[t]!, t > 0 ? outputs[t - 1]! : hidden, tf.add(dSteps[t]!, dHidden));
    gateSteps[t] = back.dGates;
    productSteps[t] = back.dProduct;
    dHidden = tf.add(back.past, tf.matMul(back.dProduct, kernel, false, true)); // [B, U]
  }
  const dProducts = joinSteps(productSteps); // [B, T, 3U]
  return [joinSteps(gateSteps), recurrentGradient(hidden, output, dProducts), tf.sum(dProducts, [0, 1]), dHidden];
}

export const gruKernels: readonly FusedKernel[] = [
  { name: "SoftboxGru", composite: forwardSteps },
  { name: "SoftboxGruGrad", composite: backwardSteps },
];
