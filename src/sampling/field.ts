/**
 * @file The tokens that filters have left. A field is handed from filter to filter, then to the draw, then to whoever describes it: nobody
 * sums the same powers twice, and few survivors make short arrays.
 */
import { binCount, blockLength, runLength } from "../engine/scorePasses.ts";
import { decay, type Sums } from "../lm/exponential.ts";
import { maximum } from "../lm/softmax.ts";
import { type Gathered, gatherFrom } from "./gather.ts";
import { passes } from "./passes.ts";

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
  /** The highest score of each block; looked for at the first call. */
  readonly maxima: () => Float32Array;
  /** The highest score. */
  readonly top: () => number;
  /** Taken at the first call. */
  readonly sums: () => Sums;
  /** The same with the powers in bins, at temperature 1; whoever needs them asks before anybody asks for sums. */
  readonly binned: () => BinnedSums;
}

/** Sums, and those of the powers in each bin of distance from the highest score. */
export interface BinnedSums extends Sums {
  readonly bins: Float64Array;
}

/** The value of a function of no arguments, computed at the first call. */
function once<T>(compute: () => T): () => T {
  let value: T | undefined;
  return () => {
    value ??= compute();
    return value;
  };
}

/** A field of `scores`. It keeps its arguments. @param maxima - of the blocks, where somebody knows them. */
export function createField(
  scores: Scores,
  ids?: Int32Array,
  inverse = 1,
  maxima = once(() => maximaOf(scores)),
): Field {
  if (!(scores instanceof Float32Array)) throw new TypeError("scores: expected a Float32Array"); // an engine reads its memory
  const top = once(() => maximum(maxima()));
  const plain = once(() => sumsOf(scores, top(), inverse, null));
  let sums: () => Sums = plain;
  const binned = once(() => {
    const bins = new Float64Array(binCount);
    const own = { ...sumsOf(scores, top(), 1, bins), bins };
    if (inverse === 1) sums = () => own;
    return own;
  });
  return { scores, ids, inverse, maxima, top, sums: () => sums(), binned };
}

function maximaOf(scores: Scores): Float32Array {
  const maxima = new Float32Array(Math.ceil(scores.length / blockLength));
  passes().blockMaxima(scores, maxima, scores.length);
  return maxima;
}

function sumsOf(scores: Scores, top: number, inverse: number, bins: Float64Array | null): Sums {
  const runs = new Float64Array(Math.ceil(scores.length / runLength));
  const result = new Float64Array(2);
  passes().scoreSums(scores, runs, bins, result, scores.length, top, inverse);
  const [total, slope] = [result[0]!, result[1]!];
  return { top, total, entropy: Math.max(0, Math.log(total) + slope / total), runs };
}

/** The same tokens with scores of a filter's making, in the same places. */
export const withScores = (field: Field, scores: Scores): Field => createField(scores, field.ids);

/** The same tokens and scores at another temperature, `1 / inverse`. */
export const atTemperature = ({ scores, ids, maxima }: Field, inverse: number): Field =>
  createField(scores, ids, inverse, maxima);

/** The tokens in some places of a field; the field itself where these are all it has. */
export function keep(field: Field, gathered: Gathered): Field {
  const { ids } = field;
  if (gathered.places.length === field.scores.length) return field;
  const own = gathered.places.slice();
  return createField(gathered.scores.slice(), ids ? own.map((place) => ids[place]!) : own);
}

/** The tokens whose score is at least the threshold, and of those at the threshold the `ties` lowest ids. */
export const keepFrom = (field: Field, threshold: number, ties?: number): Field =>
  keep(field, gatherFrom(field, threshold, ties));

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
