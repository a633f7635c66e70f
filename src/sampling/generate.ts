/** @file Text generation as an async stream of plain events, one a token. Knows ids, not text. */
import { setImmediate } from "node:timers/promises";
import type { NextToken } from "../lm/model.ts";
import { finalProbabilities } from "./distribution.ts";
import { drawToken } from "./sample.ts";
import type { SamplingSettings } from "./settings.ts";

/** Whatever tells what comes next: a language model, or a stand-in. */
export interface NextTokenSource {
  next(ids: readonly number[]): Promise<NextToken>;
}

export interface GenerateOptions {
  /** Ids to go on from; at least one. */
  readonly prompt: readonly number[];
  readonly settings: SamplingSettings;
  readonly maxTokens: number;
  readonly signal?: AbortSignal;
}

/** One generated token. */
export interface GeneratedToken {
  /** From 0. */
  readonly position: number;
  readonly id: number;
  /** What it was drawn after, with the whole distribution. */
  readonly next: NextToken;
  /** Natural logarithm of the model's own probability. */
  readonly logProb: number;
  /** Probability with which it was drawn. */
  readonly probability: number;
}

/** Draws tokens one after another until `maxTokens` or the signal. The seed fixes the text on a given engine. */
export async function* generate(source: NextTokenSource, options: GenerateOptions): AsyncGenerator<GeneratedToken> {
  const { prompt, settings, maxTokens, signal } = options;
  const ids = [...prompt];
  for (let position = 0; position < maxTokens && !signal?.aborted; position++) {
    const next = await source.next(ids);
    const probabilities = finalProbabilities(next.logProbs, settings);
    const id = drawToken(probabilities, settings.seed, position);
    ids.push(id);
    yield { position, id, next, logProb: next.logProbs[id]!, probability: probabilities[id]! };
    await setImmediate();
  }
}
