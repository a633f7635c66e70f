/**
 * @file Errors over every class's probability, not the likeliest one's alone: class-wise ECE and Full-ECE.
 *
 * With `d = [v = y] − p_v`, both are sums of |Σ d| over cells: a cell is (class, bin) for the first, a bin for the second. So one
 * number a cell and block is enough. For large vocabularies nearly all probabilities are in the lowest bin: its cells are kept in
 * a matrix, the others in a map.
 */
import { widthBin } from "../bins.ts";
import { type BlockWeights, blockCount } from "../bootstrap.ts";
import { type Metric, weighted } from "./metric.ts";

export interface EveryClassErrors {
  readonly add: Metric["add"];
  /** Class-wise ECE (Kull et al. 2019, https://arxiv.org/abs/1910.12656, eq. 3): `(1/V) Σ_v Σ_b (n_bv / N) |frequency − mean p|`, for each of the weights. */
  readonly classWise: (all: readonly BlockWeights[]) => number[];
  /** Full-ECE (Liu et al. 2024, https://arxiv.org/abs/2406.11345): `Σ_b (n_b / N) |frequency_b − mean p_b|` over all N·V probabilities, 0..2. */
  readonly full: Metric["norm"];
}

export function createEveryClassErrors(classes: number, bins: number): EveryClassErrors {
  const lowest = new Float64Array(blockCount * classes); // [blocks, V]
  const higher = Array.from({ length: blockCount }, () => new Map<number, number>()); // by class · bins + bin
  const byBin = new Float64Array(blockCount * bins); // [blocks, bins]
  const edge = 1 / bins;
  return {
    add: ({ probabilities, sum, likely, target }, block) => {
      const start = block * classes;
      const low = lowest.subarray(start, start + classes);
      const high = likely.filter((v) => probabilities[v]! >= edge);
      const before = Float64Array.from(high, (v) => low[v]!);
      subtract(low, probabilities);
      let rest = sum;
      for (const [i, v] of high.entries()) {
        const p = probabilities[v]!;
        low[v] = before[i]!;
        rest -= p;
        addHigher(higher[block]!, byBin, block * bins, v * bins, widthBin(p, bins), -p);
      }
      byBin[block * bins]! -= rest;
      const bin = widthBin(probabilities[target]!, bins);
      if (probabilities[target]! < edge) {
        low[target]! += 1;
        byBin[block * bins]! += 1;
      } else addHigher(higher[block]!, byBin, block * bins, target * bins, bin, 1);
    },
    classWise: (all) => Array.from(classWiseSums({ lowest, higher, classes }, all), (sum) => sum / classes),
    full: (weights) => {
      let sum = 0;
      for (let bin = 0; bin < bins; bin++) sum += Math.abs(weighted(byBin, weights, bins, bin));
      return sum;
    },
  };
}

function subtract(from: Float64Array, values: Float64Array): void {
  for (let v = 0; v < from.length; v++) from[v]! -= values[v]!;
}

function addHigher(
  cells: Map<number, number>,
  byBin: Float64Array,
  row: number,
  cell: number,
  bin: number,
  difference: number,
): void {
  cells.set(cell + bin, (cells.get(cell + bin) ?? 0) + difference);
  byBin[row + bin]! += difference;
}

interface ClassCells {
  readonly lowest: Float64Array;
  readonly higher: readonly Map<number, number>[];
  readonly classes: number;
}

/** `Σ` of absolute cells for each of the weights: a tile of classes at a time, which stays in the cache while all weights are tried on it. */
function classWiseSums({ lowest, higher, classes }: ClassCells, all: readonly BlockWeights[]): Float64Array {
  const totals = Float64Array.from(all, (weights) => higherSum(higher, weights));
  const sums = new Float64Array(Math.min(tile, classes));
  for (let from = 0; from < classes; from += tile) {
    const count = Math.min(tile, classes - from);
    for (const [i, weights] of all.entries()) {
      sums.fill(0);
      for (let block = 0; block < blockCount; block += 4)
        addFourBlocks(sums, count, lowest, weights, block, classes, from);
      for (let v = 0; v < count; v++) totals[i]! += Math.abs(sums[v]!);
    }
  }
  return totals;
}

/** Classes whose 64 rows of sums fit into a processor's second cache: 256 kB. */
const tile = 512;

function higherSum(higher: readonly Map<number, number>[], weights: BlockWeights): number {
  const cells = new Map<number, number>();
  for (const [block, differences] of higher.entries())
    for (const [cell, difference] of differences)
      cells.set(cell, (cells.get(cell) ?? 0) + weights[block]! * difference);
  let total = 0;
  for (const difference of cells.values()) total += Math.abs(difference);
  return total;
}

/** Adds four blocks' rows of a tile to the sums, which are then read and written a fourth as often. */
function addFourBlocks(
  sums: Float64Array,
  count: number,
  lowest: Float64Array,
  weights: BlockWeights,
  block: number,
  classes: number,
  from: number,
): void {
  const [w0, w1, w2, w3] = [weights[block]!, weights[block + 1]!, weights[block + 2]!, weights[block + 3]!];
  if (w0 === 0 && w1 === 0 && w2 === 0 && w3 === 0) return;
  const a = block * classes + from;
  const [b, c, d] = [a + classes, a + 2 * classes, a + 3 * classes];
  for (let v = 0; v < count; v++)
    sums[v]! += w0 * lowest[a + v]! + w1 * lowest[b + v]! + w2 * lowest[c + v]! + w3 * lowest[d + v]!;
}
