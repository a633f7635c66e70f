/** @file Measures predictions, as they are or repaired: every metric with its interval, and the bins of a reliability diagram. */
import { readLogProbs } from "../lm/exponential.ts";
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
import { likelyFrom, type Metric, type Prediction } from "./metrics/metric.ts";
import { createSortedTopLabels } from "./metrics/sorted.ts";
import { eachRow, type LogProbs, type Predictions, topLabel } from "./predictions.ts";
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
  const logProbs = new Float64Array(classes);
  const read = createRowReader(classes, bins);
  const counts = new Float64Array(blockCount);
  await eachRow(predictions, (row, target, index) => {
    if (repair) repair(row, logProbs);
    else logProbs.set(row);
    const block = blockOf(index, count);
    counts[block]!++;
    add(read(logProbs, target), block);
  });
  const equal = equalWeights(counts);
  const chance = chanceWeights(counts, count > 1 ? draws : 0, seed);
  const estimate = (name: MetricName): Estimate => {
    const [value, ...distances] = readings[name]([equal, ...chance]);
    return interval(value!, distances, metrics[name].range);
  };
  const entries = metricNames.map((name) => [name, estimate(name)] as const);
  return {
    count,
    metrics: Object.fromEntries(entries) as Record<MetricName, Estimate>,
    bins: reliabilityBins(topLabels.sums()),
  };
}

/** Reads one row after another; each prediction is overwritten by the next. */
function createRowReader(classes: number, bins: number): (logProbs: Float64Array, target: number) => Prediction {
  const probabilities = new Float64Array(classes);
  const places = new Int32Array(classes + 1);
  const least = likelyFrom(bins);
  return (logProbs, target) => {
    const reading = readLogProbs(logProbs, probabilities, least, places);
    const likely = places.subarray(0, reading.likely);
    const top = likely.length > 0 ? likeliestOf(likely, logProbs) : topLabel(logProbs).id;
    return { ...reading, likely, probabilities, logProbs, target, top, confidence: probabilities[top]! };
  };
}

/** The first of the likeliest among some classes. */
function likeliestOf(classes: Int32Array, logProbs: Float64Array): number {
  let top = classes[0]!;
  for (const v of classes) if (logProbs[v]! > logProbs[top]!) top = v;
  return top;
}

/** A metric's norm for each of some weights. */
type Reading = (all: readonly BlockWeights[]) => number[];

function createReadings(classes: number, bins: number) {
  const [nll, sharpness, brier] = [createNll(), createSharpness(), createBrier()];
  const [accuracy, confidence, adaptive] = [createAccuracy(), createConfidence(), createAdaptiveError(bins)];
  const [topLabels, sorted] = [createTopLabelBins(bins), createSortedTopLabels(bins)];
  const everyClass = createEveryClassErrors(classes, bins);
  const all = [nll, sharpness, brier, accuracy, confidence, adaptive, topLabels, sorted, everyClass];
  const each =
    (norm: Metric["norm"]): Reading =>
    (all) =>
      all.map((weights) => norm(weights));
  const readings: Record<MetricName, Reading> = {
    nll: each(nll.norm),
    sharpness: each(sharpness.norm),
    brier: each(brier.norm),
    accuracy: each(accuracy.norm),
    confidence: each(confidence.norm),
    ece: each(topLabels.expectedError),
    eceMass: each(sorted.equalMassError),
    mce: each(topLabels.maximumError),
    ks: each(sorted.kolmogorovSmirnov),
    adaptive: each(adaptive.norm),
    classWise: everyClass.classWise,
    fullEce: each(everyClass.full),
  };
  const add: Metric["add"] = (prediction, block) => {
    for (const metric of all) metric.add(prediction, block);
  };
  return { add, readings, topLabels };
}
