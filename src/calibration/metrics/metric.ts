/** @file What every metric of calibration offers: it takes one prediction after another and keeps sums by block. */
import type { BlockWeights } from "../bootstrap.ts";
import type { LogProbs } from "../predictions.ts";

/** One prediction, read once for all metrics. Arrays are overwritten by the next one. */
export interface Prediction {
  /** Probabilities, `[V]`. */
  readonly probabilities: Float64Array;
  /** Their natural logarithms, `[V]`. */
  readonly logProbs: LogProbs;
  /** The class that came true. */
  readonly target: number;
  /** The likeliest class; the first of several. */
  readonly top: number;
  /** Probability of `top`. */
  readonly confidence: number;
}

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
