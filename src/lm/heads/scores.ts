/**
 * @file One softmax over the vocabulary: scores from features, and the loss that every head with a single softmax shares.
 *
 * `z = s h Wᵀ + b`, capped if the model says so, and `f(z) = z`, or `z + log σ(z)` for sigsoftmax; `p = softmax(f(z))`.
 */
import * as tf from "@tensorflow/tfjs";
import { linearCrossEntropy } from "../../engine/ops/linearCrossEntropy.ts";
import { linearLogSumExp } from "../../engine/ops/linearLogSumExp.ts";
import type { N, NE, NV } from "../../engine/shapes.ts";
import type { LossOptions } from "./config.ts";
import type { OutputLayer } from "./head.ts";

/**
 * Features as the table meets them, `s h`, `[N, E]`. A table that starts at 0.02 and features within ±1 make scores of almost
 * nothing; where no gain of a norm can grow, as behind the tanh of a mixture, s is what makes them learn in time.
 */
export const scaled = ({ scale }: OutputLayer, hidden: NE): NE => (scale === 1 ? hidden : tf.mul(hidden, scale));

/** Scores of few positions, `[N, V]`. */
export function scores(output: OutputLayer, hidden: NE): NV {
  const { table, bias, softcap } = output;
  const product = tf.matMul(scaled(output, hidden), table, false, true) as NV;
  const sum = bias ? (tf.add(product, bias) as NV) : product;
  return softcap > 0 ? (tf.mul(tf.tanh(tf.div(sum, softcap)), softcap) as NV) : sum;
}

/** `s − (1−ε) t − ε mean(f) + λ s²`, `[N]`. */
export function softmaxLoss(
  output: OutputLayer,
  hidden: NE,
  targets: N,
  { labelSmoothing: share, zLoss, sigsoftmax = false }: LossOptions & { readonly sigsoftmax?: boolean },
): N {
  const { table, bias, softcap } = output;
  return tf.tidy(() => {
    const features = scaled(output, hidden);
    if (!share && !zLoss && !sigsoftmax && !softcap) return linearCrossEntropy(features, table, targets, bias);
    const form = { softcap, sigsoftmax, mean: share > 0 };
    const { targetLogit, logSumExp, mean } = linearLogSumExp(features, table, targets, bias, form);
    const wanted = mean ? tf.add(tf.mul(targetLogit, 1 - share), tf.mul(mean, share)) : targetLogit;
    const nats = tf.sub(logSumExp, wanted) as N;
    return zLoss ? (tf.add(nats, tf.mul(tf.square(logSumExp), zLoss)) as N) : nats;
  });
}
