/**
 * @file Thresholded adaptive calibration error (Nixon et al. 2019, https://arxiv.org/abs/1904.01685): for each class, its
 * probabilities above a threshold in equally filled bins.
 *
 * At most `1 / threshold` pairs a prediction are kept, whatever the number of classes. Bins are weighed by what they hold, so
 * that a word seen twice does not count as much as one seen a thousand times; with equally many pairs a class it is the paper's mean.
 */
import { massBins, sortedOrder } from "../bins.ts";
import type { BlockWeights } from "../bootstrap.ts";
import { adaptiveThreshold, type Metric } from "./metric.ts";

/** A class's probabilities as they came. */
interface Pairs {
  readonly probabilities: number[];
  readonly gaps: number[];
  readonly blocks: number[];
}

/** All pairs, each with the cell it belongs to: a bin of a class. */
interface Cells {
  /** `[v = y] − p`. */
  readonly gaps: Float64Array;
  readonly blocks: Uint8Array;
  readonly cells: Int32Array;
  /** Cells in all. */
  readonly count: number;
}

export function createAdaptiveError(bins: number): Metric {
  let predictions = 0;
  const classes = new Map<number, Pairs>();
  let cells: Cells | undefined;
  return {
    add: ({ probabilities, likely, target }, block) => {
      cells = undefined;
      predictions++;
      for (const v of likely) {
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
      cells ??= cellsOf([...classes.values()], bins);
      return predictions * error(cells, weights);
    },
  };
}

function cellsOf(classes: readonly Pairs[], bins: number): Cells {
  const size = classes.reduce((sum, { gaps }) => sum + gaps.length, 0);
  const result = { gaps: new Float64Array(size), blocks: new Uint8Array(size), cells: new Int32Array(size) };
  let at = 0;
  for (const [index, { probabilities, gaps, blocks }] of classes.entries()) {
    const places = massBins(gaps.length, bins);
    for (const [rank, i] of sortedOrder(probabilities).entries()) {
      result.gaps[at] = gaps[i]!;
      result.blocks[at] = blocks[i]!;
      result.cells[at++] = index * bins + places[rank]!;
    }
  }
  return { ...result, count: classes.length * bins };
}

function error({ gaps, blocks, cells, count }: Cells, weights: BlockWeights): number {
  const sums = new Float64Array(count);
  for (let i = 0; i < gaps.length; i++) sums[cells[i]!]! += weights[blocks[i]!]! * gaps[i]!;
  let total = 0;
  for (let cell = 0; cell < count; cell++) total += Math.abs(sums[cell]!);
  return gaps.length > 0 ? total / gaps.length : 0;
}
