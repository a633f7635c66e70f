/** @file Sequences `[B, T, n]` and their steps `[B, n]`: what recurrent layers share. */
import * as tf from "@tensorflow/tfjs";
import type { BTG, BTU, BU } from "../shapes.ts";

/** T matrices `[B, n]`. */
export const stepsOf = (x: tf.Tensor3D): tf.Tensor2D[] => tf.unstack(x, 1) as tf.Tensor2D[];

/** `[B, T, n]`. */
export const joinSteps = (steps: tf.Tensor2D[]): tf.Tensor3D => tf.stack(steps, 1) as tf.Tensor3D;

/** The last step, `[B, n]`, owned by the caller. */
export function lastStep(x: BTU): BU {
  const [B, T, U] = x.shape;
  return tf.tidy(() => tf.reshape(tf.slice(x, [0, T - 1, 0], [B, 1, U]), [B, U]));
}

/** What each step started from: the first hidden state, then every output but the last, `[B, T, U]`. */
function previousOf(hidden: BU, output: BTU): BTU {
  const [B, T, U] = output.shape;
  const first = tf.reshape(hidden, [B, 1, U]);
  return tf.concat([first, tf.slice(output, [0, 0, 0], [B, T - 1, U])], 1) as BTU;
}

/** The gradient of recurrent weights, `Σ previousᵀ dGates` over all rows and steps, `[U, gates · U]`. */
export function recurrentGradient(hidden: BU, output: BTU, dGates: BTG): tf.Tensor2D {
  const rows = (x: tf.Tensor3D): tf.Tensor2D => tf.reshape(x, [-1, x.shape[2]]); // [B·T, n]
  return tf.matMul(rows(previousOf(hidden, output)), rows(dGates), true, false);
}

/** Derivative of tanh by its value. */
export const tanhSlope = (y: tf.Tensor): tf.Tensor => tf.sub(1, tf.square(y));
/** Derivative of the logistic function by its value. */
export const logisticSlope = (y: tf.Tensor): tf.Tensor => tf.mul(y, tf.sub(1, y));
