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
  /** Class-wise ECE (Kull et al. 2019, https://arxiv.org/abs/1910.12656, eq. 3): `(1/V) Σ_v Σ_b (n_bv / N) |frequency − mean p|`. */
  readonly classWise: Metric["norm"];
  /** Full-ECE (Liu et al. 2024, https://arxiv.org/abs/2406.11345): `Σ_b (n_b / N) |frequency_b − mean p_b|` over all N·V probabilities, 0..2. */
  readonly full: Metric["norm"];
}

export function createEveryClassErrors(classes: number, bins: number): EveryClassErrors {
  const lowest = new Float64Array(blockCount * classes); // [blocks, V]
  const higher = Array.from({ length: blockCount }, () => new Map<number, number>()); // by class · bins + bin
  const byBin = new Float64Array(blockCount * bins); // [blocks, bins]
  const edge = 1 / bins;
  return {
    add: ({ probabilities, target }, block) => {
      const start = block * classes;
      let rest = 0;
      for (let v = 0; v < classes; v++) {
        const p = probabilities[v]!;
        if (p < edge) {
          lowest[start + v]! -= p;
          rest -= p;
        } else addHigher(higher[block]!, byBin, block * bins, v * bins, widthBin(p, bins), -p);
      }
      byBin[block * bins]! += rest;
      const bin = widthBin(probabilities[target]!, bins);
      if (probabilities[target]! < edge) {
        lowest[start + target]! += 1;
        byBin[block * bins]! += 1;
      } else addHigher(higher[block]!, byBin, block * bins, target * bins, bin, 1);
    },
    classWise: (weights) => classWiseSum({ lowest, higher, classes }, weights) / classes,
    full: (weights) => {
      let sum = 0;
      for (let bin = 0; bin < bins; bin++) sum += Math.abs(weighted(byBin, weights, bins, bin));
      return sum;
    },
  };
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

function classWiseSum({ lowest, higher, classes }: ClassCells, weights: BlockWeights): number {
  const sums = new Float64Array(classes);
  const cells = new Map<number, number>();
  for (let block = 0; block < blockCount; block++) {
    const weight = weights[block]!;
    if (weight === 0) continue;
    const start = block * classes;
    for (let v = 0; v < classes; v++) sums[v]! += weight * lowest[start + v]!;
    for (const [cell, difference] of higher[block]!) cells.set(cell, (cells.get(cell) ?? 0) + weight * difference);
  }
  let total = 0;
  for (let v = 0; v < classes; v++) total += Math.abs(sums[v]!);
  for (const difference of cells.values()) total += Math.abs(difference);
  return total;
}
