/**
 * @file Mixture of softmaxes: `p = Σ_k π_k softmax(s W h_k + b)`, `h_k = tanh(U_k h + c_k)`, `π = softmax(G h)`
 * (Yang et al. 2018, https://arxiv.org/abs/1711.03953, eq. 2). It breaks the rank limit of one softmax.
 *
 * In log space throughout: `−log p(target) = −logsumexp_k(log π_k + t_k − s_k)`, with t and s from `linearLogSumExp` over K
 * rows a token; so K softmaxes cost K times the arithmetic and next to no memory.
 */
import * as tf from "@tensorflow/tfjs";
import { linearLogSumExp } from "../../engine/ops/linearLogSumExp.ts";
import { logSoftmax } from "../../engine/ops/logSoftmax.ts";
import type { N, NE, NV } from "../../engine/shapes.ts";
import { components, initMixture, logWeights, type MixtureParams, mixtureWeights } from "./components.ts";
import type { LossOptions, MixtureConfig } from "./config.ts";
import type { Head, HeadParts } from "./head.ts";
import { withoutOptions } from "./loss.ts";
import { scaled, scores } from "./scores.ts";

/** Each target K times: `[N]` to `[N·K]`. */
const repeat = (targets: N, K: number): N => tf.reshape(tf.tile(tf.expandDims(targets, 1), [1, K]), [targets.size * K]);

/** `−logsumexp_k(log π_k + t_k − s_k) + λ mean_k s_k²`. */
function loss(
  { config, params, output }: HeadParts<MixtureConfig, MixtureParams>,
  hidden: NE,
  targets: N,
  { zLoss }: LossOptions,
): N {
  const K = config.mixtures;
  return tf.tidy(() => {
    const rows = scaled(output, components(config, params, hidden)); // [N·K, E]
    const { table, bias, softcap } = output;
    const { targetLogit, logSumExp } = linearLogSumExp(rows, table, repeat(targets, K), bias, { softcap });
    const logProbs = tf.reshape(tf.sub(targetLogit, logSumExp), [targets.size, K]); // [N, K]
    const nats = tf.neg(tf.logSumExp(tf.add(logWeights(params, hidden), logProbs), -1)) as N;
    if (!zLoss) return nats;
    const squares = tf.mean(tf.square(tf.reshape(logSumExp, [targets.size, K])), -1); // [N]
    return tf.add(nats, tf.mul(squares, zLoss)) as N;
  });
}

/** Each component's own `log p_k`, `[N·K, V]`. */
const componentLogProbs = ({ config, params, output }: HeadParts<MixtureConfig, MixtureParams>, hidden: NE): NV =>
  logSoftmax(scores(output, components(config, params, hidden))) as NV;

export const mosHead: Head<MixtureConfig, MixtureParams> = {
  init: initMixture,
  nll: (parts, hidden, targets) => loss(parts, hidden, targets, withoutOptions),
  loss,
  logProbs: (parts, hidden) =>
    tf.tidy(() => {
      const each = componentLogProbs(parts, hidden); // [N·K, V]
      const split = tf.reshape(each, [hidden.shape[0], parts.config.mixtures, -1]); // [N, K, V]
      return tf.logSumExp(tf.add(split, tf.expandDims(logWeights(parts.params, hidden), -1)), 1) as NV; // [N, V]
    }),
  logWeights: ({ params }, hidden) => tf.tidy(() => logWeights(params, hidden)),
  inspect: ({ config, params }, hidden) => ({ mixture: mixtureWeights(config, params, hidden) }),
  components: (parts, hidden) => tf.tidy(() => componentLogProbs(parts, hidden)),
};
