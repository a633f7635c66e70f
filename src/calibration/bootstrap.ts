/**
 * @file Confidence intervals by a block bootstrap: neighbouring tokens of a text are not independent, so whole stretches are
 * drawn with replacement (Efron 1979, Carlstein 1986), not single tokens.
 *
 * Every metric here is a norm of sums that are linear in how much each block weighs. So a stream is walked once, sums are kept a
 * block, and `norm(weights of a draw − weights of the sample)` says how far chance moves the sums. If the true sums lie within
 * distance q of the observed ones, the triangle inequality holds the true metric within `value ± q`. This is what binned errors
 * need: they are sums of absolute values, which noise alone lifts above 0; the interval of a calibrated source reaches down to 0.
 */
import { createRandomStream, randomKey } from "../engine/random.ts";

/** Blocks that a stream is divided in, at most. */
export const blockCount = 64;

/** How much each prediction of a block weighs, `[blocks]`; all predictions together weigh 1. Differences of such weights are signed. */
export type BlockWeights = Float64Array;

/** Which block the `index`-th of `count` rows belongs to: contiguous, equally long but for rounding. */
export const blockOf = (index: number, count: number): number =>
  Math.min(blockCount - 1, Math.floor((index * Math.min(blockCount, count)) / Math.max(1, count)));

/** Every prediction weighs the same. */
export const equalWeights = (counts: Float64Array): BlockWeights =>
  normalised(new Float64Array(blockCount).fill(1), counts);

/** Draws of as many blocks with replacement as hold anything, less the equal weights: what chance does. A function of seed and sizes. */
export function chanceWeights(counts: Float64Array, draws: number, seed: number): BlockWeights[] {
  const blocks = counts.reduce((last, count, block) => (count > 0 ? block + 1 : last), 0);
  const equal = equalWeights(counts);
  return Array.from({ length: draws }, (_, draw) => {
    const random = createRandomStream(randomKey(seed, "bootstrap", draw));
    const times = new Float64Array(blockCount);
    for (let i = 0; i < blocks; i++) times[random.below(blocks)]!++;
    return normalised(times, counts).map((weight, block) => weight - equal[block]!);
  });
}

function normalised(times: Float64Array, counts: Float64Array): BlockWeights {
  const total = times.reduce((sum, time, block) => sum + time * counts[block]!, 0);
  return times.map((time) => (total > 0 ? time / total : 0));
}

/** How much each row weighs, given its block. */
export function rowWeights(blocks: ArrayLike<number>, weights: BlockWeights): Float64Array {
  const rows = new Float64Array(blocks.length);
  for (let i = 0; i < rows.length; i++) rows[i] = weights[blocks[i]!]!;
  return rows;
}

/** A figure with the interval that holds the truth in 95 of 100 cases. */
export interface Estimate {
  readonly value: number;
  readonly lower: number;
  readonly upper: number;
}

/** Share of draws that lie within the interval. */
const confidence = 0.95;

/** `value ± q`, cut to the metric's range; q the distance that 95 % of draws stay below. */
export function interval(value: number, distances: readonly number[], range: readonly [number, number]): Estimate {
  if (distances.length === 0 || !Number.isFinite(value)) return { value, lower: value, upper: value };
  const radius = quantile(Float64Array.from(distances, Math.abs).sort(), confidence);
  return { value, lower: Math.max(range[0], value - radius), upper: Math.min(range[1], value + radius) };
}

/** The quantile of sorted values, linear between neighbours. */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  const [low, high] = [sorted[below]!, sorted[Math.min(sorted.length - 1, below + 1)]!];
  return low + (place - below) * (high - low);
}
