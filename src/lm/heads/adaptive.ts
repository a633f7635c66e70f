/**
 * @file Adaptive softmax: a softmax over frequent tokens and clusters of rarer ones, then one within the cluster
 * (Grave et al. 2017, https://arxiv.org/abs/1609.04309): `p(v) = p(cluster)·p(v | cluster)`. A step pays for a cluster only
 * with the tokens that lie in it.
 *
 * Clusters are ranges of ids, so ids should be sorted by frequency, as those of the tokenizer `word` are and GPT-2's roughly
 * are. Unlike the paper's, the clusters' scores use the whole width of the features, because all their rows are those of the
 * model's one output table, which may be its token embedding.
 */
import * as tf from "@tensorflow/tfjs";
import { linearLogSumExp } from "../../engine/ops/linearLogSumExp.ts";
import { logSoftmax } from "../../engine/ops/logSoftmax.ts";
import type { N, NE, NV } from "../../engine/shapes.ts";
import { standardDeviation } from "../init.ts";
import { type AdaptiveConfig, expectFittingCutoffs, type LossOptions } from "./config.ts";
import type { Head, HeadParts, OutputLayer } from "./head.ts";
import { withoutOptions } from "./loss.ts";
import { scaled, scores } from "./scores.ts";

export interface AdaptiveParams {
  /** A row for each cluster, beside the short list's, `[C, E]`. */
  readonly clusters: tf.Variable<tf.Rank.R2>;
  /** `[C]`; starts at the log of the cluster's size, so that a fresh model is uniform. */
  readonly bias: tf.Variable<tf.Rank.R1>;
}

type Parts = HeadParts<AdaptiveConfig, AdaptiveParams>;

/** Sizes of the short list and of each cluster. */
const sizesOf = (cutoffs: readonly number[], V: number): number[] =>
  [...cutoffs, V].map((end, i) => end - (cutoffs[i - 1] ?? 0));

/** The output layers of the short list with the clusters' rows, and of each cluster. */
function layers({ config, params, output }: Parts): [OutputLayer, ...OutputLayer[]] {
  const sizes = sizesOf(config.cutoffs, output.table.shape[0]);
  // A split, because its gradient is one concatenation; that of slices would fill a whole table with zeros for each.
  const [list, ...tables] = tf.split(output.table, sizes) as [tf.Tensor2D, ...tf.Tensor2D[]];
  const [listBias, ...biases] = output.bias ? (tf.split(output.bias, sizes) as tf.Tensor1D[]) : [];
  const root = {
    table: tf.concat([list, params.clusters], 0), // [n₀ + C, E]
    bias: tf.concat([listBias ?? tf.zeros([sizes[0]!]), params.bias]) as tf.Tensor1D, // [n₀ + C]
    softcap: output.softcap,
    scale: output.scale,
  };
  const tails = tables.map((table, i) => ({
    table,
    ...(biases[i] ? { bias: biases[i] } : {}),
    softcap: output.softcap,
    scale: output.scale,
  }));
  return [root, ...tails];
}

/** Positions and targets that lie in cluster `c`, with targets counted from its start. */
function members(ids: Int32Array, start: number, end: number): { positions: Int32Array; targets: Int32Array } {
  const positions = Int32Array.from(ids.keys()).filter((i) => ids[i]! >= start && ids[i]! < end);
  return { positions, targets: positions.map((i) => ids[i]! - start) };
}

/** `s − t + λ s²` of each row. */
function rowLoss(output: OutputLayer, hidden: NE, targets: Int32Array, zLoss: number): N {
  const { table, bias, softcap } = output;
  const ids = tf.tensor1d(targets, "int32");
  const { targetLogit, logSumExp } = linearLogSumExp(scaled(output, hidden), table, ids, bias, { softcap });
  const nats = tf.sub(logSumExp, targetLogit) as N;
  return zLoss ? (tf.add(nats, tf.mul(tf.square(logSumExp), zLoss)) as N) : nats;
}

/** The loss of the short list and clusters, plus, for tokens in a cluster, that within it. */
function loss(parts: Parts, hidden: NE, targets: N, { zLoss }: LossOptions): N {
  const { cutoffs } = parts.config;
  const ids = targets.dataSync<"int32">() as Int32Array; // which rows meet which cluster must be known now
  return tf.tidy(() => {
    const [root, ...tails] = layers(parts);
    const first = cutoffs[0]!;
    const clusterOf = (id: number): number => cutoffs.findLastIndex((cutoff) => id >= cutoff);
    const rootTargets = Int32Array.from(ids, (id) => (id < first ? id : first + clusterOf(id)));
    let sum: tf.Tensor = rowLoss(root, hidden, rootTargets, zLoss); // [N]
    for (const [c, tail] of tails.entries()) {
      const { positions, targets: inside } = members(ids, cutoffs[c]!, cutoffs[c + 1] ?? Number.POSITIVE_INFINITY);
      if (positions.length === 0) continue;
      const places = tf.tensor1d(positions, "int32");
      const losses = rowLoss(tail, tf.gather(hidden, places), inside, zLoss); // [members]
      sum = tf.add(sum, tf.unsortedSegmentSum(losses, places, ids.length));
    }
    return sum as N;
  });
}

/** `log p` of the short list and of the clusters, `[N, n₀ + C]`. */
const rootLogProbs = (root: OutputLayer, hidden: NE): tf.Tensor2D => logSoftmax(scores(root, hidden)) as tf.Tensor2D;

export const adaptiveHead: Head<AdaptiveConfig, AdaptiveParams> = {
  init: ({ cutoffs }, { vocabSize: V, embedSize: E }, make) => {
    expectFittingCutoffs(cutoffs, V);
    const sizes = sizesOf(cutoffs, V).slice(1);
    const bias = make.given<tf.Rank.R1>(Float32Array.from(sizes, Math.log), [sizes.length]);
    return { clusters: make.normal("head.clusters", [sizes.length, E], standardDeviation), bias };
  },
  nll: (parts, hidden, targets) => loss(parts, hidden, targets, withoutOptions),
  loss,
  logProbs: (parts, hidden) =>
    tf.tidy(() => {
      const [root, ...tails] = layers(parts);
      const first = parts.config.cutoffs[0]!;
      const [list, ...clusters] = tf.split(rootLogProbs(root, hidden), [first, ...tails.map(() => 1)], 1); // [N, n₀], [N, 1] …
      const inside = tails.map((tail, c) => tf.add(logSoftmax(scores(tail, hidden)), clusters[c]!));
      return tf.concat([list!, ...inside], 1) as NV;
    }),
  inspect: (parts, hidden) => ({
    clusters: tf.tidy(() => {
      const [root, ...tails] = layers(parts);
      const sizes = [parts.config.cutoffs[0]!, ...tails.map(() => 1)];
      const groups = tf.split(rootLogProbs(root, hidden), sizes, 1); // [1, n₀], [1, 1] …
      return tf.stack(groups.map((group) => tf.sum(tf.exp(group)))) as tf.Tensor1D;
    }),
  }),
};
