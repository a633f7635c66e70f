/** @file Top-label errors over equally wide bins of confidence: ECE and MCE; and the bins themselves for a diagram. */
import { widthBin } from "../bins.ts";
import { type BlockWeights, blockCount } from "../bootstrap.ts";
import { type Metric, type Prediction, weighted } from "./metric.ts";

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
  add(prediction: Pick<Prediction, "target" | "top" | "confidence">, block: number): void;
  sums(): BinSums[];
  /** Expected calibration error (Naeini et al. 2015): `Σ_b (n_b / N) |accuracy_b − confidence_b|`. */
  readonly expectedError: Metric["norm"];
  /** Maximum calibration error: the largest `|accuracy_b − confidence_b|` of a bin that holds anything. */
  readonly maximumError: Metric["norm"];
}

const once = new Float64Array(blockCount).fill(1);

export function createTopLabelBins(bins: number): TopLabelBins {
  const [counts, confidences, corrects] = [0, 0, 0].map(() => new Float64Array(blockCount * bins)); // [blocks, bins]
  const gaps = (weights: BlockWeights): number[] =>
    Array.from({ length: bins }, (_, bin) =>
      Math.abs(weighted(corrects!, weights, bins, bin) - weighted(confidences!, weights, bins, bin)),
    );
  const binCounts = (): number[] => Array.from({ length: bins }, (_, bin) => weighted(counts!, once, bins, bin));
  return {
    add: ({ confidence, top, target }, block) => {
      const at = block * bins + widthBin(confidence, bins);
      counts![at]!++;
      confidences![at]! += confidence;
      if (top === target) corrects![at]!++;
    },
    sums: () =>
      binCounts().map((count, bin) => ({
        count,
        confidence: weighted(confidences!, once, bins, bin),
        correct: weighted(corrects!, once, bins, bin),
      })),
    expectedError: (weights) => gaps(weights).reduce((sum, gap) => sum + gap, 0),
    maximumError: (weights) => {
      const inBins = binCounts();
      const total = inBins.reduce((sum, count) => sum + count, 0);
      return Math.max(0, ...gaps(weights).map((gap, bin) => (inBins[bin]! > 0 ? (gap * total) / inBins[bin]! : 0)));
    },
  };
}
