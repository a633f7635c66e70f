/**
 * @file Passes over the scores of a vocabulary, by which a token is drawn, on plain arrays: an engine that does them faster than JavaScript
 * may offer its own.
 */

/** Scores of a block. */
export const blockLength = 128;
/** Scores of a run. */
export const runLength = 256;
/** What is this far below the highest score counts nothing in a sum: `e^(−40)` is 4e-18, 50,257 of it 2e-13. */
export const horizon = 40;
/** Bins of a nat, and all of them. */
export const binsOfOne = 46;
export const binCount = horizon * binsOfOne + 1;

/** The bin of what lies x ≥ 0 below the highest score; it never falls as x grows. The last is for all from the horizon on. */
export const binOf = (x: number): number => (Math.min(x, horizon) * binsOfOne) | 0;

/**
 * Scores are `[n]`, −∞ where removed, n ≥ 1. Nothing is checked. What looks for places writes them, rising, to `places`, their scores to `kept`,
 * both `[n + 1]`, and gives their number; what lies behind them in these arrays is arbitrary.
 */
export interface ScorePasses {
  /** @param maxima - `[⌈n / 128⌉]`, written: the highest score of each block. */
  blockMaxima(scores: Float32Array, maxima: Float32Array, n: number): void;
  /**
   * Sums of the powers `e^(−x)` by the distance `x = (top − s) · inverse` from the highest score; 0 from the horizon on.
   *
   * @param runs - `[⌈n / 256⌉]`, written: the sum of the powers before each run.
   * @param bins - `[1841]`, written: the sum of the powers in each bin; or null.
   * @param result - `[2]`, written: `Σ e^(−x)` and `Σ x e^(−x)`.
   */
  scoreSums(
    scores: Float32Array,
    runs: Float64Array,
    bins: Float64Array | null,
    result: Float64Array,
    n: number,
    top: number,
    inverse: number,
  ): void;
  /** The places whose score is at least the threshold. */
  scoresFrom(
    scores: Float32Array,
    maxima: Float32Array,
    places: Int32Array,
    kept: Float32Array,
    n: number,
    threshold: number,
  ): number;
  /** The places whose distance from a centre, `|centre − s|` in float32, is at most `radius`. */
  scoresWithin(
    scores: Float32Array,
    maxima: Float32Array,
    places: Int32Array,
    kept: Float32Array,
    n: number,
    centre: number,
    radius: number,
  ): number;
  /** The places whose distance, `⌊46 (top − s)⌋` in bins, is from `first` to `last` bins away from `middle`. @param top - the highest score. */
  scoresInRings(
    scores: Float32Array,
    maxima: Float32Array,
    places: Int32Array,
    kept: Float32Array,
    n: number,
    top: number,
    middle: number,
    first: number,
    last: number,
  ): number;
}

let offered: ScorePasses | undefined;

/** The passes of an engine that has just been started, if it has any. */
export const offerScorePasses = (passes: ScorePasses | undefined): void => {
  offered = passes;
};

/** Those of the active engine. */
export const offeredScorePasses = (): ScorePasses | undefined => offered;
