/**
 * @file The tokens that filters have left. A field is handed from filter to filter, then to the draw, then to whoever describes it: nobody
 * sums the same powers twice, and few survivors make short arrays.
 */
import { type BinnedSums, decay, type Sums, sumPowers, sumPowersInBins } from "../lm/exponential.ts";
import { maximum } from "../lm/softmax.ts";

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
  /** The highest score; looked for at the first call. */
  readonly top: () => number;
  /** Taken at the first call. */
  readonly sums: () => Sums;
  /** The same with powers by distance from the highest score, at temperature 1; whoever needs them asks before anybody asks for sums. */
  readonly binned: () => BinnedSums;
}

/** A field of `scores`. It keeps its arguments. @param top - the highest score, where that is known. */
export function createField(scores: Scores, ids?: Int32Array, inverse = 1, top?: number): Field {
  let sums: Sums | undefined;
  let binned: BinnedSums | undefined;
  let known = top;
  const highest = (): number => {
    known ??= maximum(scores);
    return known;
  };
  return {
    scores,
    ids,
    inverse,
    top: highest,
    sums: () => {
      sums ??= sumPowers(scores, highest(), inverse);
      return sums;
    },
    binned: () => {
      binned ??= sumPowersInBins(scores, highest());
      if (inverse === 1) sums ??= binned;
      return binned;
    },
  };
}

/** The same tokens with scores of a filter's making, in the same places. */
export const withScores = (field: Field, scores: Scores): Field => createField(scores, field.ids);

/** Room for tokens that are left; the next field overwrites it. */
let places = new Int32Array(1);
let kept: Scores = new Float32Array(1);

function makeRoom(count: number): void {
  if (places.length > count) return;
  [places, kept] = [new Int32Array(count + 1), new Float32Array(count + 1)];
}

/**
 * The tokens whose score is at least the threshold, and of those at the threshold the `ties` lowest ids.
 *
 * Each place is written down, and written over by the next where it is not wanted: there is no branch to be guessed wrong.
 */
export function keepFrom(field: Field, threshold: number, ties = Number.POSITIVE_INFINITY): Field {
  const { scores } = field;
  makeRoom(scores.length);
  const [ownPlaces, own] = [places, kept];
  let count = 0;
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i]!;
    ownPlaces[count] = i;
    own[count] = score;
    count += Number(score >= threshold);
  }
  return gathered(
    field,
    leaveOut(count, ties, (score) => score === threshold),
  );
}

/** The tokens whose distance from a centre, `|centre − s|` in float32, is at most `radius`, and of those at that distance the `ties` lowest ids. */
export function keepWithin(field: Field, centre: number, radius: number, ties: number): Field {
  const { scores } = field;
  makeRoom(scores.length);
  const [ownPlaces, own] = [places, kept];
  let count = 0;
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i]!;
    ownPlaces[count] = i;
    own[count] = score;
    count += Number(Math.fround(Math.abs(centre - score)) <= radius);
  }
  return gathered(
    field,
    leaveOut(count, ties, (score) => Math.fround(Math.abs(centre - score)) === radius),
  );
}

/** Takes all but the first `ties` of those at the border out of what has been gathered. @returns how many are left. */
function leaveOut(count: number, ties: number, isAtBorder: (score: number) => boolean): number {
  if (ties >= count) return count;
  let [left, tied] = [0, 0];
  for (let i = 0; i < count; i++) {
    if (isAtBorder(kept[i]!) && tied++ >= ties) continue;
    places[left] = places[i]!;
    kept[left++] = kept[i]!;
  }
  return left;
}

function gathered({ ids }: Field, count: number): Field {
  const own = places.slice(0, count);
  return createField(kept.slice(0, count), ids ? own.map((place) => ids[place]!) : own);
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
