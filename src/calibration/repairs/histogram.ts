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
  const confidences = confidencesOf(labels);
  const edges = binning === "mass" ? massEdges(confidences, bins) : widthEdges(bins);
  const counts = countBins(edges, confidences, labels.correct);
  const shares = counts.map(({ count, correct }, bin) => (count > 0 ? correct / count : middleOf(edges, bin)));
  return { kind: "histogram", samples: confidences.length, edges, shares };
}

const widthEdges = (bins: number): number[] => Array.from({ length: bins - 1 }, (_, i) => (i + 1) / bins);

/** Edges halfway between neighbours that differ, so that ties are never divided. */
export function massEdges(confidences: Float64Array, bins: number): number[] {
  const sorted = Float64Array.from(sortedOrder(confidences), (i) => confidences[i]!);
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

/** How many edges lie at or below `confidence`. */
export function binAmong(edges: readonly number[], confidence: number): number {
  let [low, high] = [0, edges.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (edges[middle]! <= confidence) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function countBins(
  edges: readonly number[],
  confidences: Float64Array,
  correct: Uint8Array,
): { count: number; correct: number }[] {
  const bins = Array.from({ length: edges.length + 1 }, () => ({ count: 0, correct: 0 }));
  for (let n = 0; n < confidences.length; n++) {
    const bin = bins[binAmong(edges, confidences[n]!)]!;
    bin.count++;
    bin.correct += correct[n]!;
  }
  return bins;
}

export const histogramConfidence = ({ edges, shares }: HistogramRepair, confidence: number): number =>
  shares[binAmong(edges, confidence)]!;
