/** @file What every metric of calibration offers: it takes one prediction after another and keeps sums by block. */
import type { BlockWeights } from "../bootstrap.ts";

/** One prediction, read once for all metrics. Arrays are overwritten by the next one. */
export interface Prediction {
  /** Probabilities, `[V]`. */
  readonly probabilities: Float64Array;
  /** Their natural logarithms, `[V]`. */
  readonly logProbs: Float64Array;
  /** The class that came true. */
  readonly target: number;
  /** The likeliest class; the first of several. */
  readonly top: number;
  /** Probability of `top`. */
  readonly confidence: number;
  /** `Σ_v p_v`. */
  readonly sum: number;
  /** `Σ_v p_v²`. */
  readonly squares: number;
  /** `−Σ_v p_v log p_v`, nats. */
  readonly entropy: number;
  /** Classes of probability {@link likelyFrom} or more, rising. */
  readonly likely: Int32Array;
}

/** Where a probability is looked at for itself: above the lowest of the bins, and above the threshold of the adaptive error. */
export const likelyFrom = (bins: number): number => Math.min(adaptiveThreshold, 1 / bins);

/** The adaptive error leaves probabilities up to this out. */
export const adaptiveThreshold = 0.01;

/** A metric over a stream. */
export interface Metric {
  add(prediction: Prediction, block: number): void;
  /**
   * A norm of `Σ_g weight_g · sums_g` (for means the sum itself). With equal weights it is the metric; with the weights of a draw
   * less those, how far chance moves it. 0 before anything was added.
   */
  norm(weights: BlockWeights): number;
}

/** `Σ_g weight_g · sums[g · stride + offset]`. */
export function weighted(sums: Float64Array, weights: BlockWeights, stride = 1, offset = 0): number {
  let total = 0;
  for (let g = 0; g < weights.length; g++) if (weights[g]! !== 0) total += weights[g]! * sums[g * stride + offset]!;
  return total;
}
