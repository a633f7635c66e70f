/** @file The baseline: `p = softmax(W h)`, loss `logsumexp z − z_target`. */
import * as tf from "@tensorflow/tfjs";
import { linearLogSumExp } from "../../engine/ops/linearLogSumExp.ts";
import type { N, NV } from "../../engine/shapes.ts";
import type { Head } from "./head.ts";

export const softmaxHead: Head<unknown, Record<never, never>> = {
  init: () => ({}),
  nll: (_config, _params, table, hidden, targets) =>
    tf.tidy(() => {
      const { targetLogit, logSumExp } = linearLogSumExp(hidden, table, targets);
      return tf.sub(logSumExp, targetLogit) as N;
    }),
  logProbs: (_config, _params, table, hidden) =>
    tf.tidy(() => tf.logSoftmax(tf.matMul(hidden, table, false, true)) as NV),
  inspect: () => ({}),
};
