/**
 * @file A layer of long short-term memory over whole sequences (Hochreiter and Schmidhuber 1997; forget gate, Gers et al. 2000).
 * What inputs bring to the gates is one product for all steps and comes from outside; here is the recurrence.
 */
import * as tf from "@tensorflow/tfjs";
import { type FusedKernel, type Inputs, runFusedMany, withGradient } from "../fused.ts";
import { type BTG, type BTU, type BU, expectShape } from "../shapes.ts";
import { joinSteps, lastStep, logisticSlope, recurrentGradient, stepsOf, tanhSlope } from "./sequenceSteps.ts";

/** What one step hands to the next. */
export interface LstmState {
  readonly hidden: BU;
  readonly cell: BU;
}

/**
 * For each step, with `z = gates_t + h · kernel` cut in four: `i, f, o = σ(z_i), σ(z_f), σ(z_o)`, `g = tanh z_g`,
 * `c ← f c + i g`, `h ← o tanh c`.
 *
 * @param gates - `[B, T, 4U]`: `x W + b` of the gates i, f, g, o (PyTorch's order). Not disposed.
 * @param kernel - `[U, 4U]`, the recurrent weights.
 * @param state - before the first step.
 * @returns `h` of every step, `[B, T, U]`, and the state after the last, owned by the caller. To gradients the final state is
 *   a constant: truncated back-propagation ends there.
 */
export function lstmSequence(gates: BTG, kernel: tf.Tensor2D, state: LstmState): { hidden: BTU; state: LstmState } {
  const U = kernel.shape[0];
  expectShape("lstmSequence kernel", kernel, [U, 4 * U]);
  expectShape("lstmSequence gates", gates, [null, null, 4 * U]);
  for (const part of [state.hidden, state.cell]) expectShape("lstmSequence state", part, [gates.shape[0], U]);
  let finalCell: tf.Tensor | undefined;
  const forward = ([g, k, h, c]: readonly tf.Tensor[]) => {
    const [value, cell, trace] = runFusedMany("SoftboxLstm", { gates: g!, kernel: k!, hidden: h!, cell: c! });
    finalCell = tf.keep(cell!);
    return { value: value!, saved: [k!, h!, c!, value!, trace!] };
  };
  const backward = (dOutput: tf.Tensor, [k, h, c, output, trace]: readonly tf.Tensor[]): tf.Tensor[] =>
    runFusedMany("SoftboxLstmGrad", { dOutput, kernel: k!, hidden: h!, cell: c!, output: output!, trace: trace! });
  const hidden = withGradient([gates, kernel, state.hidden, state.cell], forward, backward) as BTU;
  const cell = tf.clone(finalCell!) as BU; // kept tensors belong to no scope, this one to the caller's
  finalCell!.dispose();
  return { hidden, state: { hidden: lastStep(hidden), cell } };
}

/** What the backward pass needs of each step, side by side: i, f, g, o and c, `[B, 5U]`. */
function forwardSteps(inputs: Inputs): tf.Tensor[] {
  const { gates, kernel } = inputs as { gates: BTG; kernel: tf.Tensor2D };
  let { hidden, cell } = inputs as unknown as LstmState;
  const outputs: tf.Tensor2D[] = [];
  const traces: tf.Tensor2D[] = [];
  for (const step of stepsOf(gates)) {
    const z = tf.add(step, tf.matMul(hidden, kernel)); // [B, 4U]
    const [zi, zf, zg, zo] = tf.split(z, 4, 1);
    const [i, f, g, o] = [tf.sigmoid(zi!), tf.sigmoid(zf!), tf.tanh(zg!), tf.sigmoid(zo!)];
    cell = tf.add(tf.mul(f, cell), tf.mul(i, g));
    hidden = tf.mul(o, tf.tanh(cell));
    outputs.push(hidden);
    traces.push(tf.concat([i, f, g, o, cell], 1) as tf.Tensor2D); // [B, 5U]
  }
  return [joinSteps(outputs), tf.clone(cell), joinSteps(traces)];
}

interface Saved {
  readonly dOutput: BTU;
  readonly kernel: tf.Tensor2D;
  readonly hidden: BU;
  readonly cell: BU;
  readonly output: BTU;
  readonly trace: tf.Tensor3D;
}

/** One step back: `dh` and `dc` arrive from the step behind and from the output. */
function stepBack(trace: readonly tf.Tensor[], cellBefore: tf.Tensor, dh: tf.Tensor, dcBehind: tf.Tensor) {
  const [i, f, g, o, c] = trace as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
  const tanhCell = tf.tanh(c);
  const dc = tf.add(dcBehind, tf.mul(tf.mul(dh, o), tanhSlope(tanhCell)));
  const dGates = tf.concat(
    [
      tf.mul(tf.mul(dc, g), logisticSlope(i)),
      tf.mul(tf.mul(dc, cellBefore), logisticSlope(f)),
      tf.mul(tf.mul(dc, i), tanhSlope(g)),
      tf.mul(tf.mul(dh, tanhCell), logisticSlope(o)),
    ],
    1,
  ) as tf.Tensor2D; // [B, 4U]
  return { dGates, dCell: tf.mul(dc, f) as BU };
}

function backwardSteps(inputs: Inputs): tf.Tensor[] {
  const { dOutput, kernel, hidden, cell, output, trace } = inputs as unknown as Saved;
  const dSteps = stepsOf(dOutput);
  const traces = stepsOf(trace).map((x) => tf.split(x, 5, 1));
  let dHidden: BU = tf.zerosLike(hidden);
  let dCell: BU = tf.zerosLike(cell);
  const steps: tf.Tensor2D[] = [];
  for (let t = dSteps.length - 1; t >= 0; t--) {
    const cellBefore = t > 0 ? traces[t - 1]![4]! : cell;
    const back = stepBack(traces[t]!, cellBefore, tf.add(dSteps[t]!, dHidden), dCell);
    steps[t] = back.dGates;
    dHidden = tf.matMul(back.dGates, kernel, false, true); // [B, U]
    dCell = back.dCell;
  }
  const dGates = joinSteps(steps); // [B, T, 4U]
  return [dGates, recurrentGradient(hidden, output, dGates), dHidden, dCell];
}

export const lstmKernels: readonly FusedKernel[] = [
  { name: "SoftboxLstm", composite: forwardSteps },
  { name: "SoftboxLstmGrad", composite: backwardSteps },
];
