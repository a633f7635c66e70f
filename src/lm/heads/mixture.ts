/**
 * @file Mixture of softmaxes: `p = Σ_k π_k softmax(W h_k)`, `h_k = tanh(U_k h + c_k)`, `π = softmax(G h)`
 * (Yang et al. 2018, https://arxiv.org/abs/1711.03953, eq. 2). It breaks the rank limit of one softmax.
 *
 * In log space throughout: `−log p(target) = −logsumexp_k(log π_k + t_k − s_k)`, with t and s from `linearLogSumExp` over K
 * rows a token; so K softmaxes cost K times the arithmetic and next to no memory.
 */
import * as tf from "@tensorflow/tfjs";
import type { LinearParams } from "../../attention/selfAttention.ts";
import { linear } from "../../engine/ops/linear.ts";
import { linearLogSumExp } from "../../engine/ops/linearLogSumExp.ts";
import type { N, NE, NV } from "../../engine/shapes.ts";
import { standardDeviation } from "../init.ts";
import type { MixtureConfig } from "./config.ts";
import type { Head } from "./head.ts";

export interface MixtureParams {
  /** U and c of every component side by side, `[E, K·E]`. */
  readonly projection: LinearParams;
  /** G, `[E, K]`, without bias. */
  readonly gate: { readonly kernel: tf.Variable<tf.Rank.R2> };
}

/** `log π`, `[N, K]`. */
const logWeights = (params: MixtureParams, hidden: NE): tf.Tensor2D =>
  tf.logSoftmax(linear(hidden, params.gate.kernel)) as tf.Tensor2D;

/** `h_k`, the K rows of a token below each other: `[N·K, E]`. */
function components({ mixtures: K }: MixtureConfig, params: MixtureParams, hidden: NE): NE {
  const [rows, E] = hidden.shape;
  const projected = tf.tanh(linear(hidden, params.projection.kernel, params.projection.bias)); // [N, K·E]
  return tf.reshape(projected, [rows * K, E]);
}

/** Each target K times: `[N]` to `[N·K]`. */
const repeat = (targets: N, K: number): N => tf.reshape(tf.tile(tf.expandDims(targets, 1), [1, K]), [targets.size * K]);

export const mixtureHead: Head<MixtureConfig, MixtureParams> = {
  init: ({ mixtures: K }, E, initializer) => ({
    projection: initializer.linear("head.projection", E, K * E, 1 / Math.sqrt(E)),
    gate: { kernel: initializer.normal("head.gate.kernel", [E, K], standardDeviation) },
  }),
  nll: (config, params, table, hidden, targets) =>
    tf.tidy(() => {
      const shape: [number, number] = [targets.size, config.mixtures];
      const rows = components(config, params, hidden); // [N·K, E]
      const { targetLogit, logSumExp } = linearLogSumExp(rows, table, repeat(targets, config.mixtures));
      const logProbs = tf.reshape(tf.sub(targetLogit, logSumExp), shape); // [N, K]
      return tf.neg(tf.logSumExp(tf.add(logWeights(params, hidden), logProbs), -1)) as N;
    }),
  logProbs: (config, params, table, hidden) =>
    tf.tidy(() => {
      const rows = components(config, params, hidden); // [N·K, E]
      const each = tf.logSoftmax(tf.matMul(rows, table, false, true)); // [N·K, V]
      const split = tf.reshape(each, [hidden.shape[0], config.mixtures, table.shape[0]]); // [N, K, V]
      return tf.logSumExp(tf.add(split, tf.expandDims(logWeights(params, hidden), -1)), 1) as NV; // [N, V]
    }),
  inspect: ({ mixtures: K }, params, hidden) => ({
    mixture: tf.tidy(() => tf.reshape(tf.exp(logWeights(params, hidden)), [K])),
  }),
};
