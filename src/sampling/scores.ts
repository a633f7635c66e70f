/** @file Scores over the vocabulary and what filters have in common: the k-th largest, what reaches a mass. */

import { maximum, powersOf } from "../lm/softmax.ts";

/** Log-probabilities up to a constant, `[V]`; −∞ where removed. */
export type Scores = Float32Array;

export const removed = Number.NEGATIVE_INFINITY;

/** Keeps the tokens that `keep` says, and leaves their scores alone. */
export function keepWhere(scores: Scores, keep: (id: number, score: number) => boolean): Scores {
  const kept = new Float32Array(scores.length).fill(removed);
  for (let id = 0; id < scores.length; id++) if (keep(id, scores[id]!)) kept[id] = scores[id]!;
  return kept;
}

/** The `count` largest of `keys`, falling; at most as many as there are. A heap of `count` numbers, one pass over the keys. */
export function largestOf(keys: Float32Array, count: number): Float32Array {
  const size = Math.min(count, keys.length);
  if (8 * size > keys.length) return keys.slice().sort().reverse().subarray(0, size);
  const heap = keys.slice(0, size).sort(); // rising: a heap with its smallest first
  for (let i = size; i < keys.length; i++) if (keys[i]! > heap[0]!) replaceSmallest(heap, keys[i]!);
  return heap.sort().reverse();
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

/** Keeps the tokens of the `count` highest keys. `threshold` is the lowest of those; of its ties the lowest ids stay. */
export function keepHighest(scores: Scores, keys: Float32Array, count: number, threshold: number): Scores {
  let above = 0;
  for (let id = 0; id < keys.length; id++) if (keys[id]! > threshold) above++;
  let ties = count - above;
  return keepWhere(scores, (id) => keys[id]! > threshold || (keys[id]! === threshold && ties-- > 0));
}

/** Keeps the fewest tokens of highest key whose probabilities reach `mass`; at least one. Of equal keys the lowest ids come first. */
export function keepMass(scores: Scores, keys: Float32Array, mass: number): Scores {
  const { powers, total } = powersOf(scores);
  const { threshold, above } = weightedThreshold(keys, powers, mass * total);
  let reached = above;
  return keepWhere(scores, (id, score) => {
    if (score === removed || keys[id]! < threshold) return false;
    if (keys[id]! > threshold) return true;
    const wanted = reached < mass * total;
    reached += powers[id]!;
    return wanted;
  });
}

/**
 * The highest key at which the weights of it and of all higher keys reach `wanted`, and the weight above it: quickselect
 * (Hoare 1961, algorithm 65) that follows the weight instead of a rank.
 */
function weightedThreshold(
  keys: Float32Array,
  weights: Float64Array,
  wanted: number,
): { threshold: number; above: number } {
  let open = idsWhere(allIds(keys.length), (id) => weights[id]! > 0);
  let above = 0;
  for (;;) {
    const pivot = keys[open[open.length >> 1]!]!;
    let [higherWeight, equalWeight] = [0, 0];
    for (let i = 0; i < open.length; i++) {
      const id = open[i]!;
      if (keys[id]! > pivot) higherWeight += weights[id]!;
      else if (keys[id] === pivot) equalWeight += weights[id]!;
    }
    if (higherWeight > 0 && above + higherWeight >= wanted) {
      open = idsWhere(open, (id) => keys[id]! > pivot);
      continue;
    }
    const lower = idsWhere(open, (id) => keys[id]! < pivot);
    if (above + higherWeight + equalWeight >= wanted || lower.length === 0)
      return { threshold: pivot, above: above + higherWeight };
    above += higherWeight + equalWeight;
    open = lower;
  }
}

function allIds(V: number): Int32Array {
  const ids = new Int32Array(V);
  for (let id = 0; id < V; id++) ids[id] = id;
  return ids;
}

/** Those of some ids that a condition holds for, in order. */
function idsWhere(ids: Int32Array, holds: (id: number) => boolean): Int32Array {
  const found = new Int32Array(ids.length);
  let count = 0;
  for (let i = 0; i < ids.length; i++) if (holds(ids[i]!)) found[count++] = ids[i]!;
  return found.subarray(0, count);
}

/** Ids of the `count` highest keys, highest first, ties by id. */
export function highestIds(keys: Float32Array, count: number): number[] {
  const threshold = largestOf(keys, count).at(-1) ?? removed;
  const ids: number[] = [];
  for (let id = 0; id < keys.length; id++) if (keys[id]! >= threshold) ids.push(id);
  return ids.sort((a, b) => keys[b]! - keys[a]! || a - b).slice(0, count);
}

/** Entropy in nats of what scores stand for: `ln Σ e^s − Σ s e^s / Σ e^s`. */
export function entropyOf(scores: Scores): number {
  const { powers, total } = powersOf(scores);
  const largest = maximum(scores);
  let mean = 0;
  for (let id = 0; id < powers.length; id++)
    if (powers[id]! > 0) mean += (powers[id]! / total) * (scores[id]! - largest);
  return Math.max(0, Math.log(total) - mean);
}
