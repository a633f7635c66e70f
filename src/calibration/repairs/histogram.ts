/**
 * @file Histogram binning (Zadrozny & Elkan 2001) of the top label: a confidence becomes the share of right ones in its bin.
 * Bins are equally filled, or equally wide; a bin in which nothing fell gives its middle.
 */
import { z } from "zod";
import { defaultBins, sortedOrder } from "../bins.ts";
import { confidencesOf, type TopLabels } from "./topLabels.ts";

const probability = z.number().min(0).max(1);

export const HistogramRepair = z
  .strictObject({
    kind: z.literal("histogram"),
    samples: z.int().nonnegative(),
    /** Where a bin ends and the next begins, ascending. */
    edges: z.array(probability),
    shares: z.array(probability),
  })
  .refine(({ edges, shares }) => shares.length === edges.length + 1, "shares must be one more than edges");
export type HistogramRepair = z.infer<typeof HistogramRepair>;

export type Binning = "mass" | "width";

export function fitHistogram(labels: TopLabels, bins = defaultBins, binning: Binning = "mass"): HistogramRepair {
  const seen = sortLabels(labels);
  const edges = binning === "mass" ? massEdges(seen, bins) : widthEdges(bins);
  const counts = countBins(edges, seen);
  const shares = counts.map(({ count, correct }, bin) => (count > 0 ? correct / count : middleOf(edges, bin)));
  return { kind: "histogram", samples: labels.correct.length, edges, shares };
}

const widthEdges = (bins: number): number[] => Array.from({ length: bins - 1 }, (_, i) => (i + 1) / bins);

/** What was seen, in the order of the confidences. */
export interface SortedLabels {
  /** Ascending, `[N]`. */
  readonly sorted: Float64Array;
  /** How many of the first n came true, `[N + 1]`. */
  readonly correctBefore: Float64Array;
}

export function sortLabels(labels: TopLabels): SortedLabels {
  const confidences = confidencesOf(labels);
  const order = sortedOrder(confidences);
  const correctBefore = new Float64Array(order.length + 1);
  for (const [n, i] of order.entries()) correctBefore[n + 1] = correctBefore[n]! + labels.correct[i]!;
  return { sorted: Float64Array.from(order, (i) => confidences[i]!), correctBefore };
}

/** Edges halfway between neighbours that differ, so that ties are never divided. */
export function massEdges({ sorted }: SortedLabels, bins: number): number[] {
  const edges = new Set<number>();
  for (let bin = 1; bin < bins; bin++) {
    const at = Math.round((bin * sorted.length) / bins);
    if (at < 1 || at >= sorted.length || sorted[at - 1] === sorted[at]) continue;
    edges.add((sorted[at - 1]! + sorted[at]!) / 2);
  }
  return [...edges].sort((a, b) => a - b);
}

export const middleOf = (edges: readonly number[], bin: number): number =>
  ((edges[bin - 1] ?? 0) + (edges[bin] ?? 1)) / 2;

/** The first place in ascending values that `isPast` holds for; their number where it holds for none. */
function firstPlace(values: ArrayLike<number>, isPast: (value: number) => boolean): number {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isPast(values[middle]!)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** How many edges lie at or below `confidence`: its bin. */
export const binAmong = (edges: ArrayLike<number>, confidence: number): number =>
  firstPlace(edges, (edge) => edge > confidence);

export function countBins(
  edges: readonly number[],
  { sorted, correctBefore }: SortedLabels,
): { count: number; correct: number }[] {
  const starts = [0, ...edges.map((edge) => firstPlace(sorted, (confidence) => confidence >= edge)), sorted.length];
  return starts.slice(1).map((end, bin) => {
    const start = starts[bin]!;
    return { count: end - start, correct: correctBefore[end]! - correctBefore[start]! };
  });
}

export const histogramConfidence = ({ edges, shares }: HistogramRepair, confidence: number): number =>
  shares[binAmong(edges, confidence)]!;
