/** @file One next-token distribution, three times: the model's own, after temperature, after filters. */
import { type Filter, maximum, minP, type Scores, temperature, topK, topP } from "./filters.ts";
import type { SamplingSettings } from "./settings.ts";

/** Probabilities over the vocabulary; non-negative, sum 1. */
export type Probabilities = Float64Array;

/** One token as it is shown; probabilities in [0, 1]. */
export interface Candidate {
  readonly id: number;
  /** The model's own. */
  readonly raw: number;
  /** After temperature alone. */
  readonly tempered: number;
  /** After filters and temperature: what is sampled from. */
  readonly final: number;
  /** Survived the filters. */
  readonly kept: boolean;
}

/** The chain that `settings` describe: filters first, temperature last. */
export const chainOf = (settings: SamplingSettings): readonly Filter[] => [
  topK(settings.topK),
  topP(settings.topP),
  minP(settings.minP),
  temperature(settings.temperature),
];

/** Applies filters in order. */
export const applyChain = (scores: Scores, chain: readonly Filter[]): Scores =>
  chain.reduce((current, filter) => filter(current), scores);

/** `softmax(scores)`, computed in float64 with the largest taken out. */
export function softmax(scores: Scores): Probabilities {
  const largest = maximum(scores);
  const powers = Float64Array.from(scores, (score) => Math.exp(score - largest));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}

/** What is sampled from: the model's log-probabilities through the chain. */
export const finalProbabilities = (logProbs: Scores, settings: SamplingSettings): Probabilities =>
  softmax(applyChain(logProbs, chainOf(settings)));

/** Entropy in nats: `−Σ p ln p`. */
export function entropy(probabilities: Probabilities): number {
  let sum = 0;
  for (const p of probabilities) if (p > 0) sum -= p * Math.log(p);
  return sum;
}

/** The `count` likeliest ids by the model's own distribution, ties by id. */
export function likeliest(logProbs: Scores, count: number): number[] {
  const sorted = topK(Math.min(count, logProbs.length))(logProbs);
  const ids = Array.from(sorted.keys()).filter((id) => sorted[id]! > Number.NEGATIVE_INFINITY);
  return ids.sort((a, b) => logProbs[b]! - logProbs[a]! || a - b);
}

export interface NextDistribution {
  readonly candidates: readonly Candidate[];
  /** Nats, of the model's own distribution. */
  readonly entropy: number;
  /** Nats, of what is sampled from. */
  readonly finalEntropy: number;
}

/** The `count` likeliest tokens with their three probabilities. */
export function describeNext(logProbs: Scores, settings: SamplingSettings, count: number): NextDistribution {
  const raw = softmax(logProbs);
  const tempered = softmax(temperature(settings.temperature)(logProbs));
  const final = finalProbabilities(logProbs, settings);
  const filtered = applyChain(logProbs, chainOf({ ...settings, temperature: 1 }));
  const candidates = likeliest(logProbs, count).map((id) => ({
    id,
    raw: raw[id]!,
    tempered: tempered[id]!,
    final: final[id]!,
    kept: filtered[id]! > Number.NEGATIVE_INFINITY,
  }));
  return { candidates, entropy: entropy(raw), finalEntropy: entropy(final) };
}
