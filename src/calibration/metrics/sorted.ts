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
  readonly equalMassError: Metric["value"];
  /** `max_k |Σ_{i ≤ k} (correct_i − c_i)| / N`, i in order of confidence (Gupta et al. 2021, https://arxiv.org/abs/2006.12800). */
  readonly kolmogorovSmirnov: Metric["value"];
}

/** Predictions sorted by confidence. */
interface Columns {
  readonly confidences: Float64Array;
  /** `correct − c`. */
  readonly gaps: Float64Array;
  readonly blocks: Uint8Array;
}

export function createSortedTopLabels(bins: number): SortedTopLabels {
  const given: { confidence: number; gap: number; block: number }[] = [];
  let sorted: Columns | undefined;
  const columns = (): Columns => {
    sorted ??= sortColumns(given);
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

function sortColumns(given: readonly { confidence: number; gap: number; block: number }[]): Columns {
  const order = sortedOrder(given.map(({ confidence }) => confidence));
  return {
    confidences: Float64Array.from(order, (i) => given[i]!.confidence),
    gaps: Float64Array.from(order, (i) => given[i]!.gap),
    blocks: Uint8Array.from(order, (i) => given[i]!.block),
  };
}

function equalMassError(columns: Columns, weights: BlockWeights, bins: number): number {
  const each = rowWeights(columns.blocks, weights);
  const places = massBins(each, bins);
  const sums = new Float64Array(bins);
  let total = 0;
  for (let i = 0; i < each.length; i++) {
    sums[places[i]!]! += each[i]! * columns.gaps[i]!;
    total += each[i]!;
  }
  return total > 0 ? sums.reduce((sum, gap) => sum + Math.abs(gap), 0) / total : 0;
}

/** Equal confidences count as one step, so that the order in which they came does not matter. */
function kolmogorovSmirnov(columns: Columns, weights: BlockWeights): number {
  const { confidences, gaps } = columns;
  const each = rowWeights(columns.blocks, weights);
  let [sum, total, largest] = [0, 0, 0];
  for (let i = 0; i < each.length; i++) {
    sum += each[i]! * gaps[i]!;
    total += each[i]!;
    if (confidences[i + 1] !== confidences[i]) largest = Math.max(largest, Math.abs(sum));
  }
  return total > 0 ? largest / total : 0;
}
