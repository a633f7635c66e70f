/** @file The baseline: `p = softmax(W h + b)`, loss `logsumexp z − z_target`. */
import * as tf from "@tensorflow/tfjs";
import { logSoftmax } from "../../engine/ops/logSoftmax.ts";
import type { Head } from "./head.ts";
import { withoutOptions } from "./loss.ts";
import { scores, softmaxLoss } from "./scores.ts";

export const softmaxHead: Head<unknown, Record<never, never>> = {
  init: () => ({}),
  nll: ({ output }, hidden, targets) => softmaxLoss(output, hidden, targets, withoutOptions),
  loss: ({ output }, hidden, targets, options) => softmaxLoss(output, hidden, targets, options),
  logProbs: ({ output }, hidden) => tf.tidy(() => logSoftmax(scores(output, hidden))),
  inspect: () => ({}),
};
