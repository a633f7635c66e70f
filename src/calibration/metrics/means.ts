/** @file Metrics that are means over predictions: loss, Brier score, accuracy, confidence, entropy. */
import { blockCount } from "../bootstrap.ts";
import { type Metric, type Prediction, weighted } from "./metric.ts";

/** The mean of any figure of a prediction. */
export function createMean(of: (prediction: Prediction) => number): Metric {
  const sums = new Float64Array(blockCount);
  return {
    add: (prediction, block) => {
      sums[block]! += of(prediction);
    },
    norm: (weights) => weighted(sums, weights),
  };
}

/** Negative log-likelihood, nats: `mean −log p(y)`; infinite where something came true that was held impossible. */
export const createNll = (): Metric => createMean(({ logProbs, target }) => -Math.min(0, logProbs[target]!));

/** Brier score (Brier 1950) over all classes, 0..2: `mean Σ_v (p_v − [v = y])²`. */
export const createBrier = (): Metric =>
  createMean(({ probabilities, squares, target }) => Math.max(0, squares + 1 - 2 * probabilities[target]!));

/** Share of predictions whose likeliest class came true. */
export const createAccuracy = (): Metric => createMean(({ top, target }) => (top === target ? 1 : 0));

/** Mean probability of the likeliest class. Above the accuracy, a model is over-confident. */
export const createConfidence = (): Metric => createMean(({ confidence }) => confidence);

/**
 * Sharpness (Gneiting et al. 2007, "Probabilistic forecasts, calibration and sharpness") as mean entropy of the predictions,
 * nats: `mean −Σ_v p_v log p_v`. The lower the sharper. A calibrated model's NLL is its entropy in expectation.
 */
export const createSharpness = (): Metric => createMean(({ entropy }) => entropy);
