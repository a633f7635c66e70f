/** @file Measures predictions, as they are or repaired: every metric with its interval, and the bins of a reliability diagram. */
import { defaultBins } from "./bins.ts";
import {
  type BlockWeights,
  blockCount,
  blockOf,
  chanceWeights,
  type Estimate,
  equalWeights,
  interval,
} from "./bootstrap.ts";
import { createAdaptiveError } from "./metrics/adaptive.ts";
import { createTopLabelBins } from "./metrics/equalWidth.ts";
import { createEveryClassErrors } from "./metrics/everyClass.ts";
import { createAccuracy, createBrier, createConfidence, createNll, createSharpness } from "./metrics/means.ts";
import type { Metric } from "./metrics/metric.ts";
import { createSortedTopLabels } from "./metrics/sorted.ts";
import { eachRow, type LogProbs, type Predictions } from "./predictions.ts";
import { type ReliabilityBin, reliabilityBins } from "./reliability.ts";

const unit = [0, 1] as const;
const unbounded = [0, Number.POSITIVE_INFINITY] as const;

/** Every metric: its range, and what it is called. Units: nats, or shares of 1. */
export const metrics = {
  nll: { range: unbounded, title: "negative log-likelihood, nats per prediction" },
  sharpness: { range: unbounded, title: "sharpness: mean entropy of the predictions, nats; low is sharp" },
  brier: { range: [0, 2], title: "Brier score over all classes, 0..2" },
  accuracy: { range: unit, title: "share of predictions whose likeliest class came true" },
  confidence: { range: unit, title: "mean probability of the likeliest class" },
  ece: { range: unit, title: "expected calibration error of the top label, equally wide bins" },
  eceMass: { range: unit, title: "the same over equally filled bins" },
  mce: { range: unit, title: "maximum calibration error of a bin" },
  ks: { range: unit, title: "Kolmogorov-Smirnov calibration error of the top label" },
  adaptive: { range: unit, title: "adaptive calibration error of probabilities above 0.01, by class" },
  classWise: { range: unit, title: "class-wise ECE: mean over all classes" },
  fullEce: { range: [0, 2], title: "Full-ECE: over all probabilities of all classes, 0..2" },
} as const satisfies Record<string, { range: readonly [number, number]; title: string }>;

export type MetricName = keyof typeof metrics;
export const metricNames = Object.keys(metrics) as MetricName[];

/** What a measurement found. */
export interface Measurement {
  /** Predictions measured. */
  readonly count: number;
  readonly metrics: Readonly<Record<MetricName, Estimate>>;
  readonly bins: readonly ReliabilityBin[];
}

/** Writes repaired, normalised log-probabilities of `row` into `repaired`; both `[V]`. */
export type RowRepair = (row: LogProbs, repaired: Float64Array) => void;

export interface MeasureOptions {
  /** Bins of confidence. */
  readonly bins?: number;
  /** Bootstrap draws; 0 for no intervals. */
  readonly draws?: number;
  readonly seed?: number;
}

/** Walks once over `predictions`. Memory grows with V and with a few numbers a prediction, never with their product. */
export async function measure(
  predictions: Predictions,
  repair?: RowRepair,
  { bins = defaultBins, draws = 200, seed = 1 }: MeasureOptions = {},
): Promise<Measurement> {
  const { classes, count } = predictions;
  const { add, readings, topLabels } = createReadings(classes, bins);
  const repaired = new Float64Array(classes);
  const probabilities = new Float64Array(classes);
  const counts = new Float64Array(blockCount);
  await eachRow(predictions, (row, target, index) => {
    if (repair) repair(row, repaired);
    const logProbs = repair ? repaired : row;
    let top = 0;
    for (let v = 0; v < classes; v++) {
      probabilities[v] = Math.min(1, Math.exp(logProbs[v]!));
      if (logProbs[v]! > logProbs[top]!) top = v;
    }
    const confidence = probabilities[top]!;
    const block = blockOf(index, count);
    counts[block]!++;
    add({ probabilities, logProbs, target, top, confidence }, block);
  });
  const equal = equalWeights(counts);
  const chance = chanceWeights(counts, count > 1 ? draws : 0, seed);
  const estimate = (name: MetricName): Estimate => {
    const distances = chance.map((weights: BlockWeights) => readings[name](weights));
    return interval(readings[name](equal), distances, metrics[name].range);
  };
  const entries = metricNames.map((name) => [name, estimate(name)] as const);
  return {
    count,
    metrics: Object.fromEntries(entries) as Record<MetricName, Estimate>,
    bins: reliabilityBins(topLabels.sums()),
  };
}

function createReadings(classes: number, bins: number) {
  const [nll, sharpness, brier] = [createNll(), createSharpness(), createBrier()];
  const [accuracy, confidence, adaptive] = [createAccuracy(), createConfidence(), createAdaptiveError(bins)];
  const [topLabels, sorted] = [createTopLabelBins(bins), createSortedTopLabels(bins)];
  const everyClass = createEveryClassErrors(classes, bins);
  const all = [nll, sharpness, brier, accuracy, confidence, adaptive, topLabels, sorted, everyClass];
  const readings: Record<MetricName, Metric["norm"]> = {
    nll: nll.norm,
    sharpness: sharpness.norm,
    brier: brier.norm,
    accuracy: accuracy.norm,
    confidence: confidence.norm,
    ece: topLabels.expectedError,
    eceMass: sorted.equalMassError,
    mce: topLabels.maximumError,
    ks: sorted.kolmogorovSmirnov,
    adaptive: adaptive.norm,
    classWise: everyClass.classWise,
    fullEce: everyClass.full,
  };
  const add: Metric["add"] = (prediction, block) => {
    for (const metric of all) metric.add(prediction, block);
  };
  return { add, readings, topLabels };
}
