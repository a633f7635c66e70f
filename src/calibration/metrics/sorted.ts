/**
 * @file Top-label errors that need confidences in order: ECE over equally filled bins, and the Kolmogorov-Smirnov error.
 * Three numbers a prediction are kept, whatever the number of classes.
 */
import { massBins, sortedOrder } from "../bins.ts";
import { type BlockWeights, rowWeights } from "../bootstrap.ts";
import type { Metric } from "./metric.ts";

/** Confidences in order with what came of them. */
export interface SortedTopLabels {
  readonly add: Metric["add"];
  /** ECE over bins that hold equally many predictions (Nguyen & O'Connor 2015; "adaptive ECE" in Mukhoti et al. 2020). */
  readonly equalMassError: Metric["norm"];
  /** `max_k |Σ_{i ≤ k} (correct_i − c_i)| / N`, i in order of confidence (Gupta et al. 2021, https://arxiv.org/abs/2006.12800). */
  readonly kolmogorovSmirnov: Metric["norm"];
}

/** Predictions sorted by confidence. */
interface Columns {
  readonly confidences: Float64Array;
  /** `correct − c`. */
  readonly gaps: Float64Array;
  readonly blocks: Uint8Array;
  /** Which of the equally filled bins, `[N]`. */
  readonly bins: Int32Array;
}

export function createSortedTopLabels(bins: number): SortedTopLabels {
  const given: { confidence: number; gap: number; block: number }[] = [];
  let sorted: Columns | undefined;
  const columns = (): Columns => {
    sorted ??= sortColumns(given, bins);
    return sorted;
  };
  return {
    add: ({ confidence, top, target }, block) => {
      given.push({ confidence, gap: (top === target ? 1 : 0) - confidence, block });
      sorted = undefined;
    },
    equalMassError: (weights) => equalMassError(columns(), weights, bins),
    kolmogorovSmirnov: (weights) => kolmogorovSmirnov(columns(), weights),
  };
}

function sortColumns(given: readonly { confidence: number; gap: number; block: number }[], bins: number): Columns {
  const order = sortedOrder(given.map(({ confidence }) => confidence));
  return {
    confidences: Float64Array.from(order, (i) => given[i]!.confidence),
    gaps: Float64Array.from(order, (i) => given[i]!.gap),
    blocks: Uint8Array.from(order, (i) => given[i]!.block),
    bins: massBins(order.length, bins),
  };
}

function equalMassError(columns: Columns, weights: BlockWeights, bins: number): number {
  const each = rowWeights(columns.blocks, weights);
  const sums = new Float64Array(bins);
  for (let i = 0; i < each.length; i++) sums[columns.bins[i]!]! += each[i]! * columns.gaps[i]!;
  return sums.reduce((sum, gap) => sum + Math.abs(gap), 0);
}

/** Equal confidences count as one step, so that the order in which they came does not matter. */
function kolmogorovSmirnov({ confidences, gaps, blocks }: Columns, weights: BlockWeights): number {
  const each = rowWeights(blocks, weights);
  let [sum, largest] = [0, 0];
  for (let i = 0; i < each.length; i++) {
    sum += each[i]! * gaps[i]!;
    if (confidences[i + 1] !== confidences[i]) largest = Math.max(largest, Math.abs(sum));
  }
  return largest;
}
