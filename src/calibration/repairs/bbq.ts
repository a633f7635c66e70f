/**
 * @file Bayesian binning into quantiles (Naeini et al. 2015, "Obtaining well calibrated probabilities using Bayesian binning"):
 * the mean of many histograms of equally filled bins, each weighed by how probable it makes what was seen.
 *
 * For B bins, each has a Beta(α, β) prior with `α = (N'/B) p_b`, `β = (N'/B) (1 − p_b)`, p_b the bin's middle, N' = 2. A model's score
 * is `Π_b Γ(N'/B) Γ(m_b + α) Γ(n_b + β) / (Γ(N_b + N'/B) Γ(α) Γ(β))` (eq. 4); B runs from ∛N / 10 to 10 ∛N.
 */
import { z } from "zod";
import { logGamma } from "../logGamma.ts";
import { binAmong, countBins, massEdges, middleOf, type SortedLabels, sortLabels } from "./histogram.ts";
import type { TopLabels } from "./topLabels.ts";

const probability = z.number().min(0).max(1);

const Binning = z
  .strictObject({ weight: probability, edges: z.array(probability), shares: z.array(probability) })
  .refine(({ edges, shares }) => shares.length === edges.length + 1, "shares must be one more than edges");

export const BbqRepair = z.strictObject({
  kind: z.literal("bbq"),
  samples: z.int().nonnegative(),
  binnings: z.array(Binning).min(1),
});
export type BbqRepair = z.infer<typeof BbqRepair>;

/** N'. */
const priorSamples = 2;
/** How far the number of bins goes below and above ∛N. */
const spreadFactor = 10;
/** Binnings that weigh less are left out. */
const leastWeight = 1e-6;

interface Scored {
  readonly edges: number[];
  readonly shares: number[];
  readonly score: number;
}

export function fitBbq(labels: TopLabels): BbqRepair {
  const samples = labels.correct.length;
  const seen = sortLabels(labels);
  const middle = Math.cbrt(samples);
  const fewest = Math.max(1, Math.floor(middle / spreadFactor));
  const most = Math.max(fewest, Math.min(samples, Math.ceil(middle * spreadFactor)));
  const tried = new Map<string, Scored>(); // ties may make two numbers of bins the same binning
  for (let bins = fewest; bins <= most; bins++) {
    const edges = massEdges(seen, bins);
    const key = edges.join();
    if (!tried.has(key)) tried.set(key, scored(edges, seen));
  }
  return { kind: "bbq", samples, binnings: weighed([...tried.values()]) };
}

function scored(edges: number[], seen: SortedLabels): Scored {
  const bins = countBins(edges, seen);
  const strength = priorSamples / bins.length;
  let score = 0;
  const shares = bins.map(({ count, correct: right }, bin) => {
    const p = middleOf(edges, bin);
    const [alpha, beta] = [strength * p, strength * (1 - p)];
    score += logGamma(strength) - logGamma(count + strength);
    score += logGamma(right + alpha) - logGamma(alpha) + logGamma(count - right + beta) - logGamma(beta);
    return (right + alpha) / (count + strength);
  });
  return { edges, shares, score };
}

function weighed(models: readonly Scored[]): BbqRepair["binnings"] {
  const best = models.reduce((most, { score }) => Math.max(most, score), Number.NEGATIVE_INFINITY);
  const kept = models.map((model) => ({ ...model, power: Math.exp(model.score - best) }));
  const heavy = kept.filter(({ power }) => power > leastWeight);
  const total = heavy.reduce((sum, { power }) => sum + power, 0);
  return heavy.map(({ edges, shares, power }) => ({ weight: power / total, edges, shares }));
}

/** The weighted mean of all binnings as one histogram, whose edges are all of theirs. */
export function bbqConfidence({ binnings }: BbqRepair): (confidence: number) => number {
  const edges = Float64Array.from(new Set(binnings.flatMap((binning) => binning.edges))).sort();
  const shares = new Float64Array(edges.length + 1);
  for (const { weight, edges: own, shares: ownShares } of binnings)
    for (let cell = 0, bin = 0; cell < shares.length; cell++) {
      if (cell > 0 && own[bin] === edges[cell - 1]) bin++;
      shares[cell]! += weight * ownShares[bin]!;
    }
  return (confidence) => Math.min(1, shares[binAmong(edges, confidence)]!);
}
