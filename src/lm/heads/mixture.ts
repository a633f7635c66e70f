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
import type { LossOptions, MixtureConfig } from "./config.ts";
import type { Head, HeadParts } from "./head.ts";
import { withoutOptions } from "./loss.ts";
import { scores } from "./softmax.ts";

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

/** `−logsumexp_k(log π_k + t_k − s_k) + λ mean_k s_k²`. */
function loss(parts: HeadParts<MixtureConfig, MixtureParams>, hidden: NE, targets: N, { zLoss }: LossOptions): N {
  const { config, params, output } = parts;
  const shape: [number, number] = [targets.size, config.mixtures];
  return tf.tidy(() => {
    const rows = components(config, params, hidden); // [N·K, E]
    const { targetLogit, logSumExp } = linearLogSumExp(
      rows,
      output.table,
      repeat(targets, config.mixtures),
      output.bias,
    );
    const logProbs = tf.reshape(tf.sub(targetLogit, logSumExp), shape); // [N, K]
    const nats = tf.neg(tf.logSumExp(tf.add(logWeights(params, hidden), logProbs), -1)) as N;
    if (!zLoss) return nats;
    return tf.add(nats, tf.mul(tf.mean(tf.square(tf.reshape(logSumExp, shape)), -1), zLoss)) as N;
  });
}

/** Each component's own `log p_k`, `[N·K, V]`. */
const componentLogProbs = ({ config, params, output }: HeadParts<MixtureConfig, MixtureParams>, hidden: NE): NV =>
  tf.logSoftmax(scores(output, components(config, params, hidden))) as NV;

export const mixtureHead: Head<MixtureConfig, MixtureParams> = {
  init: ({ mixtures: K }, { embedSize: E }, make) => ({
    projection: make.linear("head.projection", E, K * E, 1 / Math.sqrt(E)),
    gate: { kernel: make.normal("head.gate.kernel", [E, K], standardDeviation) },
  }),
  nll: (parts, hidden, targets) => loss(parts, hidden, targets, withoutOptions),
  loss,
  logProbs: (parts, hidden) =>
    tf.tidy(() => {
      const each = componentLogProbs(parts, hidden); // [N·K, V]
      const split = tf.reshape(each, [hidden.shape[0], parts.config.mixtures, -1]); // [N, K, V]
      return tf.logSumExp(tf.add(split, tf.expandDims(logWeights(parts.params, hidden), -1)), 1) as NV; // [N, V]
    }),
  inspect: ({ config, params }, hidden) => ({
    mixture: tf.tidy(() => tf.reshape(tf.exp(logWeights(params, hidden)), [config.mixtures])),
  }),
};
