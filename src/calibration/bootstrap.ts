/**
 * @file Bootstrap intervals (Efron 1979) by blocks: neighbouring tokens of a text are not independent, so whole stretches
 * are drawn with replacement (Carlstein 1986), not single tokens.
 *
 * A metric is a function of how often each block counts. So a stream is walked once: sums are kept a block, and each draw
 * weighs them anew.
 */
import { createRandomStream, randomKey } from "../engine/random.ts";

/** Blocks that a stream is divided in, at most. */
export const blockCount = 64;

/** How often each block counts, `[blocks]`. */
export type BlockWeights = Float64Array;

/** Which block the `index`-th of `count` rows belongs to: contiguous, equally long but for rounding. */
export const blockOf = (index: number, count: number): number =>
  Math.min(blockCount - 1, Math.floor((index * Math.min(blockCount, count)) / Math.max(1, count)));

/** Every block once. */
export const allOnce = (): BlockWeights => new Float64Array(blockCount).fill(1);

/** The draws, each as many blocks with replacement as there are; a function of seed and sizes. */
export function resamples(count: number, draws: number, seed: number): BlockWeights[] {
  const blocks = Math.min(blockCount, count);
  return Array.from({ length: draws }, (_, draw) => {
    const random = createRandomStream(randomKey(seed, "bootstrap", draw));
    const weights = new Float64Array(blockCount);
    for (let i = 0; i < blocks; i++) weights[random.below(blocks)]!++;
    return weights;
  });
}

/** How often each row counts, given its block. */
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

/** Share of draws outside the interval, half on each side. */
const outside = 0.05;

/**
 * The basic bootstrap interval `[2x − q(0.975), 2x − q(0.025)]` (Davison & Hinkley 1997, eq. 5.6), cut to the metric's range.
 *
 * Binned calibration errors are sums of absolute values: noise alone lifts them, and a resample lifts them once more. The
 * basic interval takes that lift off twice over, so a calibrated source's interval reaches down to 0, and where bins are many and
 * samples few it may lie below the figure itself.
 */
export function basicInterval(value: number, drawn: readonly number[], range: readonly [number, number]): Estimate {
  const cut = (x: number): number => Math.min(range[1], Math.max(range[0], x));
  if (drawn.length === 0 || !Number.isFinite(value)) return { value, lower: value, upper: value };
  const sorted = Float64Array.from(drawn).sort();
  const lower = 2 * value - quantile(sorted, 1 - outside / 2);
  const upper = 2 * value - quantile(sorted, outside / 2);
  return { value, lower: cut(lower), upper: cut(upper) };
}

/** The quantile of sorted values, linear between neighbours. Equal neighbours, infinite ones too, are taken as they are. */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  const [low, high] = [sorted[below]!, sorted[Math.min(sorted.length - 1, below + 1)]!];
  return low === high ? low : low + (place - below) * (high - low);
}
