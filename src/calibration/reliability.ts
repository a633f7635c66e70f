/** @file The bins of a reliability diagram (DeGroot & Fienberg 1983): how sure, how often right, and how well that is known. */
import { defaultBins } from "./bins.ts";
import { blockOf } from "./bootstrap.ts";
import { type BinSums, createTopLabelBins } from "./metrics/equalWidth.ts";
import { eachRow, type Predictions } from "./predictions.ts";

/** One bar. Empty bins have count 0, and 0 everywhere else. */
export interface ReliabilityBin {
  /** Where the bin lies, `from ≤ confidence < to`; the last one holds 1 too. */
  readonly from: number;
  readonly to: number;
  readonly count: number;
  readonly confidence: number;
  readonly accuracy: number;
  /** 95 % interval of the accuracy. */
  readonly lower: number;
  readonly upper: number;
}

export const reliabilityBins = (sums: readonly BinSums[]): ReliabilityBin[] =>
  sums.map(({ count, confidence, correct }, bin) => {
    const [lower, upper] = wilsonInterval(correct, count);
    const mean = (sum: number): number => (count > 0 ? sum / count : 0);
    const place = { from: bin / sums.length, to: (bin + 1) / sums.length };
    return { ...place, count, confidence: mean(confidence), accuracy: mean(correct), lower, upper };
  });

/** Two-sided 95 % point of the standard normal. */
const z = 1.959963984540054;

/** Interval for a share of `count` trials (Wilson 1927); within [0, 1] for any counts, `[0, 0]` for none. */
function wilsonInterval(successes: number, count: number): [number, number] {
  if (count === 0) return [0, 0];
  const share = successes / count;
  const middle = (share + (z * z) / (2 * count)) / (1 + (z * z) / count);
  const half = (z / (1 + (z * z) / count)) * Math.sqrt((share * (1 - share)) / count + (z * z) / (4 * count * count));
  return [Math.max(0, Math.min(share, middle - half)), Math.min(1, Math.max(share, middle + half))];
}

/** What a diagram shows. */
export interface Reliability {
  readonly bins: readonly ReliabilityBin[];
  /** Expected calibration error of the top label, 0..1. */
  readonly ece: number;
  /** Share of predictions whose likeliest class came true. */
  readonly accuracy: number;
  /** Predictions. */
  readonly count: number;
}

/** The diagram alone, in a small part of the time that every metric takes: of each row only its largest probability is needed. */
export async function measureReliability(predictions: Predictions, bins = defaultBins): Promise<Reliability> {
  const topLabels = createTopLabelBins(bins);
  await eachRow(predictions, (logProbs, target, index) => {
    let top = 0;
    for (let v = 1; v < logProbs.length; v++) if (logProbs[v]! > logProbs[top]!) top = v;
    const confidence = Math.min(1, Math.exp(logProbs[top]!));
    topLabels.add({ target, top, confidence }, blockOf(index, predictions.count));
  });
  const sums = topLabels.sums();
  const share = (of: (bin: BinSums) => number): number =>
    sums.reduce((sum, bin) => sum + of(bin), 0) / Math.max(1, predictions.count);
  return {
    bins: reliabilityBins(sums),
    ece: share(({ confidence, correct }) => Math.abs(correct - confidence)),
    accuracy: share(({ correct }) => correct),
    count: predictions.count,
  };
}
