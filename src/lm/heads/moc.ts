/**
 * @file Mixture of contexts: `p = softmax(s W Σ_k π_k h_k + b)` (Yang et al. 2018, section 3.3): the same parameters as a mixture
 * of softmaxes, mixed before the softmax. It is their control: more parameters without a higher rank.
 */
import * as tf from "@tensorflow/tfjs";
import { logSoftmax } from "../../engine/ops/logSoftmax.ts";
import type { NE, NV } from "../../engine/shapes.ts";
import { components, initMixture, logWeights, type MixtureParams, mixtureWeights } from "./components.ts";
import type { MixtureConfig } from "./config.ts";
import type { Head, HeadParts } from "./head.ts";
import { withoutOptions } from "./loss.ts";
import { scores, softmaxLoss } from "./scores.ts";

/** `Σ_k π_k h_k`, `[N, E]`: a product of one row and one small matrix a token. */
function mixed({ config, params }: HeadParts<MixtureConfig, MixtureParams>, hidden: NE): NE {
  const [rows, E] = hidden.shape;
  const each = tf.reshape(components(config, params, hidden), [rows, config.mixtures, E]); // [N, K, E]
  const weights = tf.expandDims(tf.exp(logWeights(params, hidden)), 1); // [N, 1, K]
  return tf.reshape(tf.matMul(weights, each), [rows, E]);
}

export const mocHead: Head<MixtureConfig, MixtureParams> = {
  init: initMixture,
  nll: (parts, hidden, targets) =>
    tf.tidy(() => softmaxLoss(parts.output, mixed(parts, hidden), targets, withoutOptions)),
  loss: (parts, hidden, targets, options) =>
    tf.tidy(() => softmaxLoss(parts.output, mixed(parts, hidden), targets, options)),
  logProbs: (parts, hidden) => tf.tidy(() => logSoftmax(scores(parts.output, mixed(parts, hidden))) as NV),
  logWeights: ({ params }, hidden) => tf.tidy(() => logWeights(params, hidden)),
  inspect: ({ config, params }, hidden) => ({ mixture: mixtureWeights(config, params, hidden) }),
};
