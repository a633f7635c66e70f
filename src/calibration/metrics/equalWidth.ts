/** @file Top-label errors over equally wide bins of confidence: ECE and MCE; and the bins themselves for a diagram. */
import { widthBin } from "../bins.ts";
import { type BlockWeights, blockCount } from "../bootstrap.ts";
import { type Metric, ratio, weighted } from "./metric.ts";

/** What fell into one bin of confidence. */
export interface BinSums {
  readonly count: number;
  /** `Σ c`. */
  readonly confidence: number;
  /** How many were right. */
  readonly correct: number;
}

/** Counts of bins, of which ECE and MCE are two readings. */
export interface TopLabelBins {
  readonly add: Metric["add"];
  sums(weights: BlockWeights): BinSums[];
  /** Expected calibration error (Naeini et al. 2015): `Σ_b (n_b / N) |accuracy_b − confidence_b|`. */
  readonly expectedError: Metric["value"];
  /** Maximum calibration error: the largest `|accuracy_b − confidence_b|` of a bin that holds anything. */
  readonly maximumError: Metric["value"];
}

export function createTopLabelBins(bins: number): TopLabelBins {
  const [counts, confidences, corrects] = [0, 0, 0].map(() => new Float64Array(blockCount * bins)); // [blocks, bins]
  const sums = (weights: BlockWeights): BinSums[] =>
    Array.from({ length: bins }, (_, bin) => ({
      count: weighted(counts!, weights, bins, bin),
      confidence: weighted(confidences!, weights, bins, bin),
      correct: weighted(corrects!, weights, bins, bin),
    }));
  return {
    add: ({ confidence, top, target }, block) => {
      const at = block * bins + widthBin(confidence, bins);
      counts![at]!++;
      confidences![at]! += confidence;
      if (top === target) corrects![at]!++;
    },
    sums,
    expectedError: (weights) => {
      const all = sums(weights);
      const total = all.reduce((sum, { count }) => sum + count, 0);
      return ratio(
        all.reduce((sum, { correct, confidence }) => sum + Math.abs(correct - confidence), 0),
        total,
      );
    },
    maximumError: (weights) =>
      Math.max(
        0,
        ...sums(weights).map(({ count, correct, confidence }) => Math.abs(ratio(correct - confidence, count))),
      ),
  };
}
