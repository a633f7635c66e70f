/**
 * @file Sigsoftmax: `p ∝ exp(z)·σ(z)` (Kanai et al. 2018, https://arxiv.org/abs/1805.10829). Its log is not linear in the
 * features, so the rank limit of a softmax does not bind it, and it has no parameters of its own.
 *
 * In log space: `f(z) = z + log σ(z)`, then a softmax over f; the fused primitive does both without a matrix.
 */
import * as tf from "@tensorflow/tfjs";
import { logSoftmax } from "../../engine/ops/logSoftmax.ts";
import type { NV } from "../../engine/shapes.ts";
import type { Head } from "./head.ts";
import { withoutOptions } from "./loss.ts";
import { scores, softmaxLoss } from "./scores.ts";

export const sigsoftmaxHead: Head<unknown, Record<never, never>> = {
  init: () => ({}),
  nll: ({ output }, hidden, targets) => softmaxLoss(output, hidden, targets, { ...withoutOptions, sigsoftmax: true }),
  loss: ({ output }, hidden, targets, options) =>
    softmaxLoss(output, hidden, targets, { ...options, sigsoftmax: true }),
  logProbs: ({ output }, hidden) =>
    tf.tidy(() => {
      const z = scores(output, hidden); // [N, V]
      return logSoftmax(tf.add(z, tf.logSigmoid(z))) as NV;
    }),
  inspect: () => ({}),
};
