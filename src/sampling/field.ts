/**
 * @file The tokens that filters have left. A field is handed from filter to filter, then to the draw, then to whoever describes it: nobody
 * sums the same powers twice, and few survivors make short arrays.
 */
import { decay, type Sums, sumPowers } from "../lm/exponential.ts";
import { maximum } from "../lm/softmax.ts";
import { borrowIds } from "./select.ts";

/** Log-probabilities up to a constant; −∞ where removed. */
export type Scores = Float32Array;

export const removed = Number.NEGATIVE_INFINITY;

/** Some of a vocabulary's tokens; probabilities are `∝ e^(s / τ)`. Nothing in it may be changed. */
export interface Field {
  /** `[n]`, −∞ where removed. */
  readonly scores: Scores;
  /** Which token each place is, rising, `[n]`; absent where a token's place is its id. */
  readonly ids: Int32Array | undefined;
  /** 1 / τ; 1 until the last filter is done. */
  readonly inverse: number;
  /** Taken at the first call. */
  readonly sums: () => Sums;
}

/** A field of `scores`. It keeps its arguments. */
export function createField(scores: Scores, ids?: Int32Array, inverse = 1): Field {
  let sums: Sums | undefined;
  return {
    scores,
    ids,
    inverse,
    sums: () => {
      sums ??= sumPowers(scores, maximum(scores), inverse);
      return sums;
    },
  };
}

/** The same tokens with scores of a filter's making, in the same places. */
export const withScores = (field: Field, scores: Scores): Field => createField(scores, field.ids);

/** The tokens whose key, `[n]`, is above the threshold, and of those at the threshold the `ties` lowest ids. */
export function keepFrom(field: Field, keys: Float32Array, threshold: number, ties = Number.POSITIVE_INFINITY): Field {
  const places = borrowIds(keys.length);
  const reaching = placesFrom(keys, threshold, places);
  const count = ties < reaching ? dropTies(keys, threshold, ties, places.subarray(0, reaching)) : reaching;
  const scores = new Float32Array(count);
  for (let i = 0; i < count; i++) scores[i] = field.scores[places[i]!]!;
  const kept = places.slice(0, count);
  const { ids } = field;
  return createField(scores, ids ? kept.map((place) => ids[place]!) : kept);
}

/**
 * Writes the places of keys from the threshold on. Each place is written down, and written over by the next where it is not wanted: there
 * is no branch to be guessed wrong.
 *
 * @returns how many.
 */
function placesFrom(keys: Float32Array, threshold: number, places: Int32Array): number {
  let count = 0;
  for (let i = 0; i < keys.length; i++) {
    places[count] = i;
    count += Number(keys[i]! >= threshold);
  }
  return count;
}

/** Leaves all but the first `ties` of those at the threshold out. @returns how many are left. */
function dropTies(keys: Float32Array, threshold: number, ties: number, places: Int32Array): number {
  let [count, tied] = [0, 0];
  for (let i = 0; i < places.length; i++) {
    const place = places[i]!;
    if (keys[place] === threshold && tied++ >= ties) continue;
    places[count++] = place;
  }
  return count;
}

/** The scores over a vocabulary of `V`, −∞ where a token is not left. */
export function expand({ scores, ids }: Field, V: number): Scores {
  if (!ids) return scores;
  const whole = new Float32Array(V).fill(removed);
  for (let i = 0; i < ids.length; i++) whole[ids[i]!] = scores[i]!;
  return whole;
}

/** A token's score; −∞ where it is not left. */
export function scoreOf({ scores, ids }: Field, id: number): number {
  if (!ids) return scores[id]!;
  let [low, high] = [0, ids.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ids[middle]! < id) low = middle + 1;
    else high = middle;
  }
  return ids[low] === id ? scores[low]! : removed;
}

/** A token's probability; 0 where it is not left. */
export function probabilityOf(field: Field, id: number): number {
  const { top, total } = field.sums();
  const score = scoreOf(field, id);
  return score === removed ? 0 : decay((top - score) * field.inverse) / total;
}
