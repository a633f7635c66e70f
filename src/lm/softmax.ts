/**
 * @file The softmax on plain numbers, in float64: `softmax(z / τ)_v = exp(z_v / τ) / Σ_u exp(z_u / τ)`.
 *
 * The largest score is taken out first: it changes nothing, since `exp(z − m)` has the factor `exp(−m)` above and below, and it
 * keeps every power at or below 1, where nothing overflows and at least one term of the sum is 1. A score of −∞ is a mask: its
 * probability is 0. Where every score is masked nothing is possible: all probabilities are 0, their logarithms −∞.
 */
import { decay } from "./exponential.ts";

/** The largest score; −∞ of none, NaN never. */
export function maximum(scores: ArrayLike<number>): number {
  if (scores instanceof Float32Array) return maximumOf32(scores);
  let top = Number.NEGATIVE_INFINITY;
  for (let v = 0; v < scores.length; v++) if (scores[v]! > top) top = scores[v]!;
  return top;
}

/** Two at a time: each comparison waits for the one before it. */
function maximumOf32(scores: Float32Array): number {
  let [even, odd] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const pairs = scores.length & -2;
  for (let v = 0; v < pairs; v += 2) {
    if (scores[v]! > even) even = scores[v]!;
    if (scores[v + 1]! > odd) odd = scores[v + 1]!;
  }
  if (pairs < scores.length && scores[pairs]! > odd) odd = scores[pairs]!;
  return odd > even ? odd : even;
}

/** `log Σ_v exp(z_v / τ)`, τ > 0; −∞ where every score is masked. */
export function logSumExp(scores: ArrayLike<number>, temperature = 1): number {
  const top = maximum(scores);
  if (top === Number.NEGATIVE_INFINITY) return top;
  return top / temperature + Math.log(powersOf(scores, temperature).total);
}

/** `z / τ − logsumexp(z / τ)`: exact where a probability itself would round to 0. */
export function logSoftmax(scores: ArrayLike<number>, temperature = 1): Float64Array {
  const top = maximum(scores);
  if (top === Number.NEGATIVE_INFINITY) return new Float64Array(scores.length).fill(top);
  const logSum = Math.log(powersOf(scores, temperature).total);
  return Float64Array.from(scores, (score) => (score - top) / temperature - logSum);
}

/** Probabilities, sum 1, τ > 0; a low τ sharpens them, a high one evens them out. */
export function softmax(scores: ArrayLike<number>, temperature = 1): Float64Array {
  const { powers, total } = powersOf(scores, temperature);
  if (total > 0) for (let v = 0; v < powers.length; v++) powers[v]! /= total;
  return powers;
}

/** `exp((z − max z) / τ)` of every score, and their sum. */
export interface Powers {
  readonly powers: Float64Array;
  readonly total: number;
}

/** The powers of scores; 0 where masked. */
export function powersOf(scores: ArrayLike<number>, temperature = 1): Powers {
  const top = maximum(scores);
  const powers = new Float64Array(scores.length);
  const inverse = 1 / temperature;
  let total = 0;
  for (let v = 0; v < scores.length; v++) {
    const score = scores[v]!;
    if (score === Number.NEGATIVE_INFINITY) continue; // also where all are: their difference is no number
    const power = decay((top - score) * inverse);
    powers[v] = power;
    total += power;
  }
  return { powers, total };
}
