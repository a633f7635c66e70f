/** @file One next-token distribution, three times: the model's own, after temperature, after filters. */
import { powersOf, softmax } from "../lm/softmax.ts";
import { applyChain, chainOf } from "./chain.ts";
import { dynamicTemperature, type FilterContext } from "./filters.ts";
import { entropyFrom, highestIds, removed, type Scores } from "./scores.ts";
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
  highestIds(logProbs, Math.min(count, logProbs.length));

/** Place of a token in the model's own distribution, 1 for the likeliest; of equals the lowest id comes first. */
export function rankOf(logProbs: Scores, id: number): number {
  const own = logProbs[id]!;
  let rank = 1;
  for (let other = 0; other < logProbs.length; other++) {
    const score = logProbs[other]!;
    if (score > own || (score === own && other < id)) rank++;
  }
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
  const raw = powersOf(logProbs);
  const temperedScores = dynamicTemperature(temperature, range, dynamicExponent)(logProbs);
  const tempered = temperedScores === logProbs ? raw : powersOf(temperedScores);
  const { filtered, scores } = filterBoth(logProbs, settings, context);
  const final = powersOf(scores);
  const candidates = likeliest(logProbs, count).map((id) => ({
    id,
    raw: raw.powers[id]! / raw.total,
    tempered: tempered.powers[id]! / tempered.total,
    final: final.powers[id]! / final.total,
    kept: filtered[id]! > removed,
  }));
  return { candidates, entropy: entropyFrom(logProbs, raw), finalEntropy: entropyFrom(scores, final) };
}

/** Scores after all filters but temperature, and after all of them; where temperature comes last, in one go. */
function filterBoth(
  logProbs: Scores,
  settings: SamplingSettings,
  context?: FilterContext,
): { readonly filtered: Scores; readonly scores: Scores } {
  const plain = chainOf({ ...settings, temperature: 1, dynamicTemperature: 0 });
  const filtered = applyChain(logProbs, plain, context);
  const chain = chainOf(settings);
  const isLast = settings.order.at(-1) === "temperature";
  const scores = isLast ? applyChain(filtered, chain.slice(-1), context) : applyChain(logProbs, chain, context);
  return { filtered, scores };
}
