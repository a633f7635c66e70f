/**
 * @file Independent sigmoids, the contrast to a softmax: each token has a probability `σ(z_v)` of its own, and they sum to
 * anything. Training minimises binary cross-entropy over all V tokens,
 *
 *     −log σ(z_target) − Σ_{v ≠ target} log(1 − σ(z_v)) = Σ_v softplus(z_v) − z_target.
 *
 * A language model needs one distribution over the next token. Told that exactly one of V independent events happens, event v
 * has probability `∝ σ(z_v) / (1 − σ(z_v)) = exp(z_v)`: the softmax of the same scores. So `logProbs` and `nll` are those of
 * the softmax; the sigmoids themselves are what `components` shows. All scores carry a learned offset, which the softmax does
 * not see; it starts at `−ln(V − 1)`, where each σ is 1/V.
 */
import * as tf from "@tensorflow/tfjs";
import { linearSoftplusSum } from "../../engine/ops/linearLogSumExp.ts";
import { logSoftmax } from "../../engine/ops/logSoftmax.ts";
import type { NV } from "../../engine/shapes.ts";
import type { Head, HeadParts, OutputLayer } from "./head.ts";
import { withoutOptions } from "./loss.ts";
import { scaled, scores, softmaxLoss } from "./scores.ts";

export interface SigmoidParams {
  /** Added to every score, `[1]`. */
  readonly offset: tf.Variable<tf.Rank.R1>;
}

/** The output layer with the offset in its bias. */
function shifted({ params, output }: HeadParts<unknown, SigmoidParams>): OutputLayer & { readonly bias: tf.Tensor1D } {
  const bias = output.bias ?? tf.zeros([output.table.shape[0]]); // [V]
  return { ...output, bias: tf.add(bias, params.offset) as tf.Tensor1D };
}

export const sigmoidHead: Head<unknown, SigmoidParams> = {
  init: (_config, { vocabSize: V }, make) => ({ offset: make.constant([1], -Math.log(Math.max(1, V - 1))) }),
  nll: (parts, hidden, targets) => tf.tidy(() => softmaxLoss(shifted(parts), hidden, targets, withoutOptions)),
  loss: (parts, hidden, targets) =>
    tf.tidy(() => {
      const output = shifted(parts);
      const { table, bias, softcap } = output;
      const { targetLogit, softplusSum } = linearSoftplusSum(scaled(output, hidden), table, targets, bias, softcap);
      return tf.sub(softplusSum, targetLogit);
    }),
  logProbs: (parts, hidden) => tf.tidy(() => logSoftmax(scores(shifted(parts), hidden)) as NV),
  inspect: () => ({}),
  components: (parts, hidden) => tf.tidy(() => tf.logSigmoid(scores(shifted(parts), hidden)) as NV),
};
