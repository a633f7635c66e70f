/**
 * @file Thresholded adaptive calibration error (Nixon et al. 2019, https://arxiv.org/abs/1904.01685): for each class, its
 * probabilities above a threshold in equally filled bins.
 *
 * At most `1 / threshold` pairs a prediction are kept, whatever the number of classes. Bins are weighed by what they hold, so
 * that a word seen twice does not count as much as one seen a thousand times; with equally many pairs a class it is the paper's mean.
 */
import { massBins, sortedOrder } from "../bins.ts";
import { type BlockWeights, rowWeights } from "../bootstrap.ts";
import type { Metric } from "./metric.ts";

/** Probabilities up to this are left out. */
export const adaptiveThreshold = 0.01;

/** A class's probabilities as they came. */
interface Pairs {
  readonly probabilities: number[];
  readonly gaps: number[];
  readonly blocks: number[];
}

export function createAdaptiveError(bins: number): Metric {
  let predictions = 0;
  const classes = new Map<number, Pairs>();
  let sorted: readonly Pairs[] | undefined;
  return {
    add: ({ probabilities, target }, block) => {
      sorted = undefined;
      predictions++;
      for (let v = 0; v < probabilities.length; v++) {
        const p = probabilities[v]!;
        if (p <= adaptiveThreshold) continue;
        const pairs = classes.get(v) ?? { probabilities: [], gaps: [], blocks: [] };
        classes.set(v, pairs);
        pairs.probabilities.push(p);
        pairs.gaps.push((v === target ? 1 : 0) - p);
        pairs.blocks.push(block);
      }
    },
    norm: (weights) => {
      sorted ??= Array.from(classes.values(), inOrder);
      return predictions * error(sorted, weights, bins);
    },
  };
}

function inOrder({ probabilities, gaps, blocks }: Pairs): Pairs {
  const order = Array.from(sortedOrder(probabilities));
  return {
    probabilities: order.map((i) => probabilities[i]!),
    gaps: order.map((i) => gaps[i]!),
    blocks: order.map((i) => blocks[i]!),
  };
}

function error(classes: readonly Pairs[], weights: BlockWeights, bins: number): number {
  let [sum, pairs] = [0, 0];
  for (const { gaps, blocks } of classes) {
    const each = rowWeights(blocks, weights);
    const places = massBins(gaps.length, bins);
    const inBin = new Float64Array(bins);
    for (let i = 0; i < gaps.length; i++) inBin[places[i]!]! += each[i]! * gaps[i]!;
    for (const gap of inBin) sum += Math.abs(gap);
    pairs += gaps.length;
  }
  return pairs > 0 ? sum / pairs : 0;
}
