/**
 * @file What turns attention scores into weights, by name. Scores are −∞ where a position is not seen; no row is masked whole.
 *
 * | name | weights of one query | sum |
 * |---|---|---|
 * | `softmax` | `exp s / Σ exp s` | 1 |
 * | `softmax1` | `exp s / (1 + Σ exp s)`: may look at nothing (Miller 2023, "Attention is off by one") | < 1 |
 * | `sigmoid` | `σ(s − ln n)`, n positions seen (Ramapuram et al. 2024, https://arxiv.org/abs/2409.04431) | any |
 * | `sparsemax` | the nearest distribution: exact zeros (engine/ops/sparseSoftmax.ts) | 1 |
 * | `entmax15` | between softmax and sparsemax: exact zeros | 1 |
 */
import * as tf from "@tensorflow/tfjs";
import { withGradient } from "../engine/fused.ts";
import { entmax15, sparsemax } from "../engine/ops/sparseSoftmax.ts";

interface Normaliser {
  /** Weights of scores `[B, H, T, S]`, 0 where not seen; the same shape, owned by the caller. */
  readonly weights: (scores: tf.Tensor4D) => tf.Tensor4D;
  /** What is added to the scores of a query that sees `seen` positions, where it makes a difference. */
  readonly shift?: (seen: number) => number;
}

/** A softmax over one more position, of score 0, that gets what is not given to the others; no score makes it overflow. */
const softmax1 = (scores: tf.Tensor4D): tf.Tensor4D =>
  withGradient(
    [scores],
    ([s]) => {
      const largest = tf.relu(tf.max(s!, -1, true)); // [B, H, T, 1], of the scores and 0
      const raised = tf.exp(tf.sub(s!, largest)); // [B, H, T, S]
      const weights = tf.div(raised, tf.add(tf.sum(raised, -1, true), tf.exp(tf.neg(largest))));
      return { value: weights, saved: [weights] };
    },
    (dy, [weights]) => {
      const mean = tf.sum(tf.mul(weights!, dy), -1, true); // [B, H, T, 1]
      return [tf.mul(weights!, tf.sub(dy, mean))];
    },
  ) as tf.Tensor4D;

export const normalisers: Readonly<Record<NormaliserName, Normaliser>> = {
  softmax: { weights: (scores) => tf.softmax(scores) },
  softmax1: { weights: softmax1 },
  // About as much in all at the start of a text as at its end: the paper's bias −ln n, with n what this query sees.
  sigmoid: { weights: (scores) => tf.sigmoid(scores), shift: (seen) => -Math.log(seen) },
  sparsemax: { weights: sparsemax },
  entmax15: { weights: entmax15 },
};

export type NormaliserName = "softmax" | "softmax1" | "sigmoid" | "sparsemax" | "entmax15";
