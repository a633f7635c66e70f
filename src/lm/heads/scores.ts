/**
 * @file One softmax over the vocabulary: scores from features, and the loss that every head with a single softmax shares.
 *
 * `z = h Wᵀ + b`, capped if the model says so, and `f(z) = z`, or `z + log σ(z)` for sigsoftmax; `p = softmax(f(z))`.
 */
import * as tf from "@tensorflow/tfjs";
import { linearCrossEntropy } from "../../engine/ops/linearCrossEntropy.ts";
import { linearLogSumExp } from "../../engine/ops/linearLogSumExp.ts";
import type { N, NE, NV } from "../../engine/shapes.ts";
import type { LossOptions } from "./config.ts";
import type { OutputLayer } from "./head.ts";

/** Scores of few positions, `[N, V]`. */
export function scores({ table, bias, softcap }: OutputLayer, hidden: NE): NV {
  const product = tf.matMul(hidden, table, false, true) as NV;
  const sum = bias ? (tf.add(product, bias) as NV) : product;
  return softcap > 0 ? (tf.mul(tf.tanh(tf.div(sum, softcap)), softcap) as NV) : sum;
}

/** `s − (1−ε) t − ε mean(f) + λ s²`, `[N]`. */
export function softmaxLoss(
  { table, bias, softcap }: OutputLayer,
  hidden: NE,
  targets: N,
  { labelSmoothing: share, zLoss, sigsoftmax = false }: LossOptions & { readonly sigsoftmax?: boolean },
): N {
  if (!share && !zLoss && !sigsoftmax && !softcap) return linearCrossEntropy(hidden, table, targets, bias);
  return tf.tidy(() => {
    const form = { softcap, sigsoftmax, mean: share > 0 };
    const { targetLogit, logSumExp, mean } = linearLogSumExp(hidden, table, targets, bias, form);
    const wanted = mean ? tf.add(tf.mul(targetLogit, 1 - share), tf.mul(mean, share)) : targetLogit;
    const nats = tf.sub(logSumExp, wanted) as N;
    return zLoss ? (tf.add(nats, tf.mul(tf.square(logSumExp), zLoss)) as N) : nats;
  });
}
