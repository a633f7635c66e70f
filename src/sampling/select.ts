/** @file Borders between keys without sorting all of them: the k-th highest, what reaches a weight, the places of the highest. */
import { type Field, removed } from "./field.ts";
import { gatherFrom } from "./gather.ts";

/** A border between keys: the lowest that is wanted, and the weight of all that are higher. */
export interface Border {
  readonly threshold: number;
  readonly above: number;
}

const bins = 2048;
const binWeights = new Float64Array(bins);
let scratch = new Int32Array(0);
let ones = new Float64Array(0);

/** A weight of 1 for every token. */
function unitWeights(count: number): Float64Array {
  if (ones.length < count) ones = new Float64Array(count).fill(1);
  return ones;
}

/**
 * The highest key at which the weights of it and of all higher keys reach `wanted`; the lowest key where they never do. Each
 * token weighs 1 unless weights are given; those that weigh nothing, or whose key is −∞, do not count.
 *
 * A histogram between the lowest and the highest key finds the narrow range that the border lies in; quickselect (Hoare
 * 1961, algorithm 65), following the weight instead of a rank, finds it there.
 */
export function selectThreshold(keys: Float32Array, wanted: number, weights = unitWeights(keys.length)): Border {
  let [low, high] = [Number.POSITIVE_INFINITY, removed];
  for (let id = 0; id < keys.length; id++) {
    const key = keys[id]!;
    if (key > high) high = key;
    if (key < low && key > removed && weights[id]! > 0) low = key;
  }
  if (low >= high) return { threshold: high, above: 0 };
  const scale = (bins - 1) / (high - low);
  weigh(keys, weights, high, scale);
  let [above, bin] = [0, 0];
  while (bin < bins - 1 && above + binWeights[bin]! < wanted) above += binWeights[bin++]!;
  while (binWeights[bin] === 0) above -= binWeights[--bin]!; // rounding left a rest behind the last token
  const within = collect(keys, weights, high, scale, bin);
  return selectWithin({ keys, weights, candidates: within, wanted, above });
}

/** Sums the weights by the distance of their keys from the highest. */
function weigh(keys: Float32Array, weights: Float64Array, high: number, scale: number): void {
  binWeights.fill(0);
  for (let id = 0; id < keys.length; id++) {
    const bin = (high - keys[id]!) * scale;
    if (bin < bins) binWeights[bin | 0]! += weights[id]!; // beyond: −∞, or less than the lowest that weighs anything
  }
}

/** The ids of one bin, rising, in a view that the next call overwrites. */
function collect(keys: Float32Array, weights: Float64Array, high: number, scale: number, bin: number): Int32Array {
  const ids = borrowIds(keys.length);
  let count = 0;
  for (let id = 0; id < keys.length; id++) {
    const own = (high - keys[id]!) * scale;
    if (own >= bin && own < bin + 1 && weights[id]! > 0) ids[count++] = id;
  }
  return ids.subarray(0, count);
}

/** Room for more than `count` ids; the next borrower gets the same. */
function borrowIds(count: number): Int32Array {
  if (scratch.length <= count) scratch = new Int32Array(count + 1);
  return scratch;
}

/** What is selected from: `above` is the weight of all keys that are higher than the candidates'. */
interface Selection {
  readonly keys: Float32Array;
  readonly weights: Float64Array;
  /** Ids, at least one; their order is lost. */
  readonly candidates: Int32Array;
  readonly wanted: number;
  readonly above: number;
}

/** Finds the border among some candidates. */
function selectWithin({ keys, weights, candidates, wanted, above }: Selection): Border {
  let [open, before] = [candidates, above];
  for (;;) {
    const pivot = keys[open[open.length >> 1]!]!;
    const { higher, equal, lower } = weighSides(keys, weights, open, pivot);
    const isHigher = higher > 0 && before + higher >= wanted;
    if (!isHigher && (lower === 0 || before + higher + equal >= wanted))
      return { threshold: pivot, above: before + higher };
    if (!isHigher) before += higher + equal;
    open = keepSide(keys, open, pivot, isHigher);
  }
}

/** Weights of the candidates above, at and below a pivot. */
function weighSides(keys: Float32Array, weights: Float64Array, candidates: Int32Array, pivot: number) {
  let [higher, equal, lower] = [0, 0, 0];
  for (let i = 0; i < candidates.length; i++) {
    const id = candidates[i]!;
    if (keys[id]! > pivot) higher += weights[id]!;
    else if (keys[id] === pivot) equal += weights[id]!;
    else lower += weights[id]!;
  }
  return { higher, equal, lower };
}

/** The candidates on one side of the pivot, moved to the front. */
function keepSide(keys: Float32Array, candidates: Int32Array, pivot: number, higher: boolean): Int32Array {
  let kept = 0;
  for (let i = 0; i < candidates.length; i++) {
    const id = candidates[i]!;
    if (higher ? keys[id]! > pivot : keys[id]! < pivot) candidates[kept++] = id;
  }
  return candidates.subarray(0, kept);
}

/** A score that `count` tokens reach: each of that many blocks holds one, or the tokens themselves are counted. */
function boundOf({ scores, maxima }: Field, count: number): number {
  const best = maxima();
  if (count > best.length) return selectThreshold(scores, count).threshold;
  return best.slice().sort()[best.length - count]!;
}

/** The border of the `count` highest scores, count ≥ 1. */
export function borderOfHighest(field: Field, count: number): Border {
  const highest = gatherFrom(field, boundOf(field, count), count).scores.sort();
  const threshold = highest[Math.max(0, highest.length - count)]!;
  return { threshold, above: highest.length - 1 - highest.lastIndexOf(threshold) };
}

/** Places of the `count` highest scores, highest first, equals by place; none that is removed. */
export function highestPlaces(field: Field, count: number): number[] {
  const { places } = gatherFrom(field, boundOf(field, count), count);
  const { scores } = field;
  return [...places].sort((a, b) => scores[b]! - scores[a]! || a - b).slice(0, count);
}
