/** @file What every metric of calibration offers: it takes one prediction after another and keeps sums by block. */
import type { BlockWeights } from "../bootstrap.ts";

/** One prediction, read once for all metrics. Arrays are overwritten by the next one. */
export interface Prediction {
  /** Probabilities, `[V]`. */
  readonly probabilities: Float64Array;
  /** The class that came true. */
  readonly target: number;
  /** `log p(target)`, −∞ where it was held impossible. */
  readonly logTarget: number;
  /** The likeliest class; the first of several. */
  readonly top: number;
  /** Probability of `top`. */
  readonly confidence: number;
}

/** A metric over a stream. */
export interface Metric {
  add(prediction: Prediction, block: number): void;
  /** The metric with each block counted as often as `weights` says. 0 before anything was added. */
  value(weights: BlockWeights): number;
}

/** `Σ_g weight_g · sums[g · stride + offset]`. */
export function weighted(sums: Float64Array, weights: BlockWeights, stride = 1, offset = 0): number {
  let total = 0;
  for (let g = 0; g < weights.length; g++) if (weights[g]! !== 0) total += weights[g]! * sums[g * stride + offset]!;
  return total;
}

/** `a / b`, and 0 where nothing was counted. */
export const ratio = (a: number, b: number): number => (b > 0 ? a / b : 0);
