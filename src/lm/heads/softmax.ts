/** @file The baseline: `p = softmax(W h + b)`, loss `logsumexp z − z_target`. */
import * as tf from "@tensorflow/tfjs";
import { linearLogSumExp } from "../../engine/ops/linearLogSumExp.ts";
import type { N, NE, NV } from "../../engine/shapes.ts";
import type { LossOptions } from "./config.ts";
import type { Head, HeadParts, OutputLayer } from "./head.ts";
import { withoutOptions } from "./loss.ts";

/** Scores of few positions, `[N, V]`. */
export function scores({ table, bias }: OutputLayer, hidden: NE): NV {
  const product = tf.matMul(hidden, table, false, true) as NV;
  return bias ? (tf.add(product, bias) as NV) : product;
}

/** Mean of each row's scores, `[N]`: `h · mean(W) + mean(b)`. */
function meanScore({ table, bias }: OutputLayer, hidden: NE): tf.Tensor1D {
  const mean = tf.sum(tf.mul(hidden, tf.mean(table, 0)), -1) as tf.Tensor1D;
  return bias ? (tf.add(mean, tf.mean(bias)) as tf.Tensor1D) : mean;
}

/** `s − (1−ε) t − ε mean(z) + λ s²`. */
function loss({ output }: HeadParts<unknown, object>, hidden: NE, targets: N, options: LossOptions): N {
  const { labelSmoothing: share, zLoss } = options;
  return tf.tidy(() => {
    const { targetLogit, logSumExp } = linearLogSumExp(hidden, output.table, targets, output.bias);
    const wanted = share
      ? tf.add(tf.mul(targetLogit, 1 - share), tf.mul(meanScore(output, hidden), share))
      : targetLogit;
    const nats = tf.sub(logSumExp, wanted);
    return (zLoss ? tf.add(nats, tf.mul(tf.square(logSumExp), zLoss)) : nats) as N;
  });
}

export const softmaxHead: Head<unknown, Record<never, never>> = {
  init: () => ({}),
  nll: (parts, hidden, targets) => loss(parts, hidden, targets, withoutOptions),
  loss,
  logProbs: ({ output }, hidden) => tf.tidy(() => tf.logSoftmax(scores(output, hidden)) as NV),
  inspect: () => ({}),
};
