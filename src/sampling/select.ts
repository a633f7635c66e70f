/** @file Borders between keys without sorting: the k-th highest, what reaches a weight, the ids of the highest. */
const removed = Number.NEGATIVE_INFINITY;

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
export function selectWithin({ keys, weights, candidates, wanted, above }: Selection): Border {
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

const mostInHeap = 256;

/** The border of the `count` highest keys: few of them by a heap in one pass, many by selection. */
export function borderOfHighest(keys: Float32Array, count: number): Border {
  if (count < 1 || count > mostInHeap || count > keys.length) return selectThreshold(keys, count);
  const heap = keys.slice(0, count).sort(); // rising: a heap with its smallest first
  for (let id = count; id < keys.length; id++) if (keys[id]! > heap[0]!) replaceSmallest(heap, keys[id]!);
  const threshold = heap[0]!;
  return { threshold, above: heap.reduce((sum, key) => sum + Number(key > threshold), 0) };
}

/**
 * Ids among which the `count` highest are, of equals the lowest: each is higher than the lowest of the `count` highest that came before it. Of
 * ids in random order these are about `count · ln(V / count)`.
 */
function highOnes(keys: Float32Array, count: number): number[] {
  const ids = Array.from({ length: count }, (_, id) => id);
  const heap = keys.slice(0, count).sort();
  for (let id = nextAbove(keys, heap[0]!, count); id < keys.length; id = nextAbove(keys, heap[0]!, id + 1)) {
    replaceSmallest(heap, keys[id]!);
    ids.push(id);
  }
  return ids;
}

/** The first id from `start` on whose key is above `bound`; the length if none is. */
function nextAbove(keys: Float32Array, bound: number, start: number): number {
  let id = start;
  while (id < keys.length && !(keys[id]! > bound)) id++;
  return id;
}

function replaceSmallest(heap: Float32Array, value: number): void {
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child + 1 < heap.length && heap[child + 1]! < heap[child]!) child++;
    if (child >= heap.length || heap[child]! >= value) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = value;
}

/** Ids of the `count` highest keys, highest first, ties by id; none whose key is −∞. */
export function highestIds(keys: Float32Array, count: number): number[] {
  const high = count < 1 || count > mostInHeap || count > keys.length ? Array.from(keys.keys()) : highOnes(keys, count);
  const there = high.filter((id) => keys[id]! > removed);
  return there.sort((a, b) => keys[b]! - keys[a]! || a - b).slice(0, count);
}
