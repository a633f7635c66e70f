/** @file Beam search: the likeliest continuations, by the model's own probabilities, that a search of some breadth finds. */
import { setImmediate } from "node:timers/promises";
import { likeliest } from "./distribution.ts";
import type { NextTokensSource } from "./generate.ts";

export interface BeamOptions {
  /** Ids to go on from; at least one. */
  readonly prompt: readonly number[];
  /** Texts that are followed at once. */
  readonly beams: number;
  readonly maxTokens: number;
  /** Ids that end a text. */
  readonly stopTokens?: readonly number[];
  readonly signal?: AbortSignal;
}

export interface Beam {
  /** What follows the prompt. */
  readonly ids: readonly number[];
  /** `Σ log p` of these, in nats. */
  readonly logProb: number;
  /** It ended with a stop token. */
  readonly ended: boolean;
}

const better = (a: Beam, b: Beam): number => b.logProb - a.logProb;

/**
 * At every token each of the `beams` likeliest texts is continued by its `beams` likeliest tokens, and the `beams` likeliest of
 * all these go on (Lowerre 1976; Graves 2012, arXiv 1211.3711, section 2.4). With one beam it is greedy; with `V^maxTokens`
 * beams it finds the likeliest text there is. Texts that ended keep their place.
 *
 * @returns the beams, likeliest first; what there is, when the signal comes.
 */
export async function searchBeams(source: NextTokensSource, options: BeamOptions): Promise<Beam[]> {
  const { prompt, beams: breadth, maxTokens, stopTokens = [], signal } = options;
  let beams: Beam[] = [{ ids: [], logProb: 0, ended: false }];
  for (let position = 0; position < maxTokens && !signal?.aborted; position++) {
    const open = beams.filter(({ ended }) => !ended);
    if (open.length === 0) break;
    const nexts = await source.nextOfEach(open.map(({ ids }) => [...prompt, ...ids]));
    const longer = open.flatMap((beam, i) => {
      const { logProbs } = nexts[i]!;
      return likeliest(logProbs, breadth).map((id) => ({
        ids: [...beam.ids, id],
        logProb: beam.logProb + logProbs[id]!,
        ended: stopTokens.includes(id),
      }));
    });
    beams = [...beams.filter(({ ended }) => ended), ...longer].sort(better).slice(0, breadth);
    await setImmediate();
  }
  return beams;
}
