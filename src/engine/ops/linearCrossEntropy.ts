/**
 * @file The loss of one softmax over the vocabulary, `logsumexp z − z[target]` with `z = h Wᵀ + b`, and its gradients made on the way.
 *
 * What is trained on is a batch's mean, so every token's loss weighs 1/N, and that is known beforehand. An engine may therefore turn
 * a block of scores into gradients while it has them, and need not compute them a second time. Whether the gradient that arrives is
 * 1/N is checked: one factor for all tokens is multiplied in, and anything else takes the way back of `linearLogSumExp`.
 */
import * as tf from "@tensorflow/tfjs";
import { type FusedKernel, type Inputs, runFusedMany, withGradient } from "../fused.ts";
import { expectShape, type N, type NE } from "../shapes.ts";
import { linearLogSumExp } from "./linearLogSumExp.ts";

/**
 * `−log softmax(hidden · weightᵀ + bias)[target]` of each row, in nats.
 *
 * @param hidden - `[N, E]`. Not disposed.
 * @param weight - `[V, E]`, one row a vocabulary entry.
 * @param targets - `[N]`, int32, each in `[0, V)`.
 * @param bias - `[V]`, or nothing.
 * @returns `[N]`, owned by the caller; differentiable in hidden, weight and bias.
 */
export function linearCrossEntropy(hidden: NE, weight: tf.Tensor2D, targets: N, bias?: tf.Tensor1D): N {
  const differentiated = tf.engine().state.gradientDepth > 0;
  if (!differentiated) return tf.tidy(() => difference(linearLogSumExp(hidden, weight, targets, bias)));
  const [rows, E] = hidden.shape;
  expectShape("linearCrossEntropy weight", weight, [null, E]);
  expectShape("linearCrossEntropy targets", targets, [rows]);
  if (bias) expectShape("linearCrossEntropy bias", bias, [weight.shape[0]]);
  const forward = ([h, w, b]: readonly tf.Tensor[]) => {
    const inputs = { hidden: h!, weight: w!, targets, ...(b ? { bias: b } : {}) };
    const [nats, logSumExp, ...gradients] = runFusedMany("SoftboxLinearCrossEntropy", inputs);
    return { value: nats!, saved: [...Object.values(inputs), logSumExp!, ...gradients] };
  };
  const names = ["hidden", "weight", "targets", ...(bias ? ["bias"] : []), "logSumExp", "dHidden", "dWeight", "dBias"];
  const backward = (dy: tf.Tensor, saved: readonly tf.Tensor[]): tf.Tensor[] => {
    const kept = Object.fromEntries(saved.map((x, i) => [names[i]!, x]));
    return runFusedMany("SoftboxLinearCrossEntropyGrad", { dy, ...kept });
  };
  return withGradient([hidden, weight, ...(bias ? [bias] : [])], forward, backward) as N;
}

const difference = ({ targetLogit, logSumExp }: ReturnType<typeof linearLogSumExp>): N =>
  tf.sub(logSumExp, targetLogit);

/** The loss and the log-sum-exp; an engine's own kernel may add the gradients of the mean loss: dHidden, dWeight, dBias. */
function composite({ hidden, weight, targets, bias }: Inputs): tf.Tensor[] {
  const results = linearLogSumExp(hidden as NE, weight as tf.Tensor2D, targets as N, bias as tf.Tensor1D | undefined);
  return [difference(results), results.logSumExp];
}

export const linearCrossEntropyKernels: readonly FusedKernel[] = [
  { name: "SoftboxLinearCrossEntropy", composite },
  {
    name: "SoftboxLinearCrossEntropyGrad",
    composite: ({ dy, ...inputs }) => {
      const given = { ...inputs, dTarget: tf.neg(dy!), dLogSumExp: dy! };
      return runFusedMany("SoftboxLinearLogSumExpGrad", given, { form: 0, softcap: 0, mean: 0 });
    },
  },
];
