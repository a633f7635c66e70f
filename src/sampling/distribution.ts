/** @file One next-token distribution, three times: the model's own, after temperature, after filters. */
import { softmax } from "../lm/softmax.ts";
import { applyChain, chainOf } from "./chain.ts";
import { dynamicTemperature, type FilterContext } from "./filters.ts";
import { highestIds, removed, type Scores } from "./scores.ts";
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

/** What is sampled from: the model's log-probabilities through the chain. */
export const finalProbabilities = (
  logProbs: Scores,
  settings: SamplingSettings,
  context?: FilterContext,
): Probabilities => softmax(applyChain(logProbs, chainOf(settings), context));

/** Entropy in nats: `−Σ p ln p`. */
export function entropy(probabilities: Probabilities): number {
  let sum = 0;
  for (const p of probabilities) if (p > 0) sum -= p * Math.log(p);
  return sum;
}

/** The `count` likeliest ids by the model's own distribution, ties by id. */
export const likeliest = (logProbs: Scores, count: number): number[] =>
  highestIds(logProbs, Math.min(count, logProbs.length)).filter((id) => logProbs[id]! > removed);

/** Place of a token in the model's own distribution, 1 for the likeliest; of equals the lowest id comes first. */
export function rankOf(logProbs: Scores, id: number): number {
  let rank = 1;
  for (let other = 0; other < logProbs.length; other++)
    if (logProbs[other]! > logProbs[id]! || (logProbs[other] === logProbs[id] && other < id)) rank++;
  return rank;
}

export interface NextDistribution {
  readonly candidates: readonly Candidate[];
  /** Nats, of the model's own distribution. */
  readonly entropy: number;
  /** Nats, of what is sampled from. */
  readonly finalEntropy: number;
}

/** The `count` likeliest tokens with their three probabilities. */
export function describeNext(
  logProbs: Scores,
  settings: SamplingSettings,
  count: number,
  context?: FilterContext,
): NextDistribution {
  const { temperature, dynamicTemperature: range, dynamicExponent } = settings;
  const raw = softmax(logProbs);
  const tempered = softmax(dynamicTemperature(temperature, range, dynamicExponent)(logProbs));
  const final = finalProbabilities(logProbs, settings, context);
  const plain = { ...settings, temperature: 1, dynamicTemperature: 0 };
  const filtered = applyChain(logProbs, chainOf(plain), context);
  const candidates = likeliest(logProbs, count).map((id) => ({
    id,
    raw: raw[id]!,
    tempered: tempered[id]!,
    final: final[id]!,
    kept: filtered[id]! > removed,
  }));
  return { candidates, entropy: entropy(raw), finalEntropy: entropy(final) };
}
