/** @file One next-token distribution, three times: the model's own, after temperature, after filters. */
import { blockLength } from "../engine/scorePasses.ts";
import { decay } from "../lm/exponential.ts";
import { applyChain, chainOf, temper } from "./chain.ts";
import { createField, type Field, probabilityOf, removed, type Scores, scoreOf } from "./field.ts";
import type { FilterContext } from "./filters.ts";
import { highestPlaces } from "./select.ts";
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

/** A next-token distribution on its way through the filters: made once, then drawn from and described. */
export interface Outlook {
  /** The model's own. */
  readonly raw: Field;
  /** What is sampled from. */
  readonly final: Field;
  /** After temperature alone; computed when asked. */
  readonly tempered: () => Field;
  /** After all filters but temperature; computed when asked. */
  readonly filtered: () => Field;
}

/** The model's log-probabilities `[V]` through the chain. It keeps them: they must stay as they are. */
export function lookAhead(logProbs: Scores, settings: SamplingSettings, context?: FilterContext): Outlook {
  const raw = createField(logProbs);
  const chain = chainOf(settings);
  const plain = chain.filter(({ name }) => name !== "temperature");
  if (chain.at(-1)?.name !== "temperature") {
    const final = applyChain(raw, chain, context);
    return { raw, final, tempered: () => temper(raw, settings), filtered: () => applyChain(raw, plain, context) };
  }
  const filtered = applyChain(raw, plain, context);
  const final = temper(filtered, settings);
  const tempered = () => (filtered === raw ? final : temper(raw, settings));
  return { raw, final, tempered, filtered: () => filtered };
}

/** What is sampled from, over the whole vocabulary. */
export function finalProbabilities(
  logProbs: Scores,
  settings: SamplingSettings,
  context?: FilterContext,
): Probabilities {
  const { final } = lookAhead(logProbs, settings, context);
  const { scores, ids, inverse } = final;
  const { top, total } = final.sums();
  const probabilities = new Float64Array(logProbs.length);
  for (let i = 0; i < scores.length; i++) {
    if (scores[i]! > removed) probabilities[ids ? ids[i]! : i] = decay((top - scores[i]!) * inverse) / total;
  }
  return probabilities;
}

/** Entropy in nats: `−Σ p ln p`. */
export function entropy(probabilities: Probabilities): number {
  let sum = 0;
  for (const p of probabilities) if (p > 0) sum -= p * Math.log(p);
  return sum;
}

/** The `count` likeliest ids by the model's own distribution, ties by id. */
export const likeliest = (logProbs: Scores, count: number): number[] => highestPlaces(createField(logProbs), count);

/** Place of a token of a whole vocabulary in its order, 1 for the likeliest; of equals the lowest id comes first. */
export function rankOf({ scores, maxima }: Field, id: number): number {
  const [own, best] = [scores[id]!, maxima()];
  let rank = 1;
  for (let block = 0; block < best.length; block++) {
    if (best[block]! < own) continue;
    const start = block * blockLength;
    const end = Math.min(scores.length, start + blockLength);
    const middle = Math.max(start, Math.min(id, end));
    for (let before = start; before < middle; before++) rank += Number(scores[before]! >= own);
    for (let after = middle; after < end; after++) rank += Number(scores[after]! > own);
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
export const describeNext = (
  logProbs: Scores,
  settings: SamplingSettings,
  count: number,
  context?: FilterContext,
): NextDistribution => describeOutlook(lookAhead(logProbs, settings, context), count);

/** The same of what has been drawn from already. */
export function describeOutlook(outlook: Outlook, count: number): NextDistribution {
  const { raw, final } = outlook;
  const [tempered, filtered] = [outlook.tempered(), outlook.filtered()];
  const candidates = highestPlaces(raw, count).map((id) => ({
    id,
    raw: probabilityOf(raw, id),
    tempered: probabilityOf(tempered, id),
    final: probabilityOf(final, id),
    kept: scoreOf(filtered, id) > removed,
  }));
  return { candidates, entropy: raw.sums().entropy, finalEntropy: final.sums().entropy };
}
