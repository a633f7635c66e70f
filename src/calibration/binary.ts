/**
 * @file Independent sigmoids as what they are: V questions a token, "is this class the one?", each answered by a probability of its
 * own. All N · V answers are judged, and repaired by one function `p' = g(p)` for all classes. Knows neither text nor tensors.
 */
import { readLogProbs } from "../lm/exponential.ts";
import { defaultBins, widthBin } from "./bins.ts";
import { blockCount, blockOf, chanceWeights, type Estimate, equalWeights, interval } from "./bootstrap.ts";
import type { MeasureOptions } from "./measure.ts";
import { type BinSums, createTopLabelBins } from "./metrics/equalWidth.ts";
import { createEveryClassErrors } from "./metrics/everyClass.ts";
import { createBrier, createMean } from "./metrics/means.ts";
import { likelyFrom, type Metric } from "./metrics/metric.ts";
import { eachRow, type Predictions } from "./predictions.ts";
import { type ReliabilityBin, reliabilityBins } from "./reliability.ts";
import { confidenceRepair, fitTopLabel, type Repair, type TopLabelKind } from "./repairs/table.ts";
import { held, type TopLabels } from "./repairs/topLabels.ts";

const shares = [0, 1] as const;
const unbounded = [0, Number.POSITIVE_INFINITY] as const;

/** Figures of binary answers, and their ranges. */
const binaryMetrics = {
  /** Binary cross-entropy `Σ_v −[v = y] log p_v − [v ≠ y] log(1 − p_v)`, nats a token: what the sigmoid head is trained on. */
  nll: unbounded,
  /** `Σ_v p_v` a token: 1 where the answers are calibrated, since one class comes true. */
  sum: unbounded,
  /** `Σ_v (p_v − [v = y])²` a token. */
  brier: unbounded,
  /** Expected calibration error of the likeliest class. */
  ece: shares,
  /** Over all answers, by the bin of their probability: `Σ_b (1/N) |how many came true − Σ p|` a token. */
  fullEce: unbounded,
} as const satisfies Record<string, readonly [number, number]>;

export type BinaryMetricName = keyof typeof binaryMetrics;
const binaryMetricNames = Object.keys(binaryMetrics) as BinaryMetricName[];

export interface BinaryMeasurement {
  /** Tokens. */
  readonly count: number;
  readonly metrics: Readonly<Record<BinaryMetricName, Estimate>>;
  /** Of all answers, N · V of them: how sure against how often true. */
  readonly bins: readonly ReliabilityBin[];
}

/** An answer's logarithms, `log p` and `log (1 − p)`. */
interface Answer {
  readonly logTop: number;
  readonly logRest: number;
}

/** A repaired answer's probability. */
export type AnswerRepair = (answer: Answer) => number;

/** Answers that a repair is fitted on, at most. */
const mostAnswers = 2 ** 20;

/** `log (1 − p)` from `log p`, exact also where p is nearly 0 or 1. */
const logOfRest = (logP: number): number =>
  logP > -Math.LN2 ? Math.log(-Math.expm1(logP)) : Math.log1p(-Math.exp(logP));

/**
 * The answers of a stream as pairs to fit on: all V of every token or, beyond {@link mostAnswers}, of tokens spread evenly.
 *
 * @param predictions - rows of `log p`, which need not sum to 1.
 */
export async function collectAnswers(predictions: Predictions): Promise<TopLabels> {
  const { classes, count } = predictions;
  const kept = Math.min(count, Math.max(1, Math.floor(mostAnswers / classes)));
  const size = kept * classes;
  const labels = { logTop: new Float64Array(size), logRest: new Float64Array(size), correct: new Uint8Array(size) };
  let at = 0;
  await eachRow(predictions, (row, target, index) => {
    if (Math.floor(((index + 1) * kept) / count) === Math.floor((index * kept) / count)) return;
    for (let v = 0; v < classes; v++, at++) {
      const logP = Math.min(0, row[v]!);
      labels.logTop[at] = logP;
      labels.logRest[at] = logOfRest(logP);
      labels.correct[at] = v === target ? 1 : 0;
    }
  });
  return labels;
}

/** Fits one function for the answers of all classes. */
export const fitAnswers = (kind: TopLabelKind, answers: TopLabels): Repair & { kind: TopLabelKind } =>
  fitTopLabel(kind, answers);

/** The repair as a function of answers; none becomes impossible or certain (`topLabels.ts`). */
export function answerRepair(repair: Repair & { kind: TopLabelKind }): AnswerRepair {
  const probability = confidenceRepair(repair);
  return (answer) => held(probability(answer), repair.samples);
}

/**
 * Walks once over `predictions`.
 *
 * @param predictions - rows of `log p`, which need not sum to 1.
 */
export async function measureAnswers(
  predictions: Predictions,
  repair?: AnswerRepair,
  { bins = defaultBins, draws = 200, seed = 1 }: MeasureOptions = {},
): Promise<BinaryMeasurement> {
  const { classes, count } = predictions;
  const readings = createReadings(classes, bins);
  const [logProbs, probabilities] = [new Float64Array(classes), new Float64Array(classes)];
  const places = new Int32Array(classes + 1);
  const least = likelyFrom(bins);
  const counts = new Float64Array(blockCount);
  await eachRow(predictions, (row, target, index) => {
    let top = 0;
    for (let v = 0; v < classes; v++) {
      const logP = Math.min(0, row[v]!);
      logProbs[v] = repair ? Math.log(repair({ logTop: logP, logRest: logOfRest(logP) })) : logP;
      if (row[v]! > row[top]!) top = v;
    }
    const block = blockOf(index, count);
    counts[block]!++;
    const reading = readLogProbs(logProbs, probabilities, least, places);
    const likely = places.subarray(0, reading.likely);
    readings.add({ ...reading, likely, logProbs, probabilities, target, top, confidence: probabilities[top]! }, block);
  });
  const equal = equalWeights(counts);
  const chance = chanceWeights(counts, count > 1 ? draws : 0, seed);
  const entries = binaryMetricNames.map((name) => {
    const norm = readings.norms[name];
    return [name, interval(norm(equal), chance.map(norm), binaryMetrics[name])] as const;
  });
  return {
    count,
    metrics: Object.fromEntries(entries) as Record<BinaryMetricName, Estimate>,
    bins: reliabilityBins(readings.sums),
  };
}

function createReadings(classes: number, bins: number) {
  const sum = createMean((prediction) => prediction.sum);
  const nll = createMean(({ logProbs, target }) => {
    let total = logOfRest(logProbs[target]!) - logProbs[target]!;
    for (const logP of logProbs) total -= logOfRest(logP);
    return total;
  });
  const [brier, topLabels, everyClass] = [
    createBrier(),
    createTopLabelBins(bins),
    createEveryClassErrors(classes, bins),
  ];
  const all = [sum, nll, brier, topLabels, everyClass];
  const sums: { -readonly [K in keyof BinSums]: number }[] = Array.from({ length: bins }, () => ({
    count: 0,
    confidence: 0,
    correct: 0,
  }));
  const add: Metric["add"] = (prediction, block) => {
    for (const metric of all) metric.add(prediction, block);
    for (const [v, p] of prediction.probabilities.entries()) {
      const bin = sums[widthBin(p, bins)]!;
      bin.count++;
      bin.confidence += p;
      if (v === prediction.target) bin.correct++;
    }
  };
  const norms: Record<BinaryMetricName, Metric["norm"]> = {
    nll: nll.norm,
    sum: sum.norm,
    brier: brier.norm,
    ece: topLabels.expectedError,
    fullEce: everyClass.full,
  };
  return { add, norms, sums };
}
