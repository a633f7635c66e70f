/** @file Text generation as an async stream of plain events, one a token. Knows ids, not text. */
import { setImmediate } from "node:timers/promises";
import type { NextToken } from "../lm/model.ts";
import { lookAhead, type Outlook } from "./distribution.ts";
import { drawFrom, filterUniform } from "./sample.ts";
import type { SamplingSettings } from "./settings.ts";

/** Whatever tells what comes next: a reader of a language model, or a stand-in. */
export interface NextTokenSource {
  next(ids: readonly number[]): Promise<NextToken>;
}

/** The same for several texts of one length. */
export interface NextTokensSource {
  nextOfEach(texts: readonly (readonly number[])[]): Promise<NextToken[]>;
}

export interface GenerateOptions {
  /** Ids to go on from; at least one. */
  readonly prompt: readonly number[];
  readonly settings: SamplingSettings;
  readonly maxTokens: number;
  /** Ids that end a text; the one that came is its last token. */
  readonly stopTokens?: readonly number[];
  readonly signal?: AbortSignal;
}

/** One generated token. */
export interface GeneratedToken {
  /** From 0. */
  readonly position: number;
  readonly id: number;
  /** What it was drawn after, with the whole distribution. */
  readonly next: NextToken;
  /** That distribution on its way through the filters, as the token was drawn: `describeOutlook` tells it. */
  readonly outlook: Outlook;
  /** Natural logarithm of the model's own probability. */
  readonly logProb: number;
  /** Probability with which it was drawn. */
  readonly probability: number;
}

/** A token of one of several texts that are written side by side. */
export interface SampledToken extends GeneratedToken {
  /** Which text, from 0. */
  readonly sample: number;
}

export interface SampleOptions extends GenerateOptions {
  /** How many texts. */
  readonly samples: number;
  /** Asked before each round which texts are over for other reasons. */
  readonly isOver?: (sample: number) => boolean;
}

/** A text under way. */
interface Draft {
  readonly sample: number;
  readonly ids: number[];
  readonly surprises: number[];
  over: boolean;
}

/** Draws tokens one after another until `maxTokens`, a stop token or the signal. The seed fixes the text on a given engine. */
export async function* generate(source: NextTokenSource, options: GenerateOptions): AsyncGenerator<GeneratedToken> {
  const one: NextTokensSource = { nextOfEach: async ([ids]) => [await source.next(ids!)] };
  for await (const { sample: _, ...token } of generateSamples(one, { ...options, samples: 1 })) yield token;
}

/**
 * Writes several texts after one prompt, a token of each in turn. Each has random numbers of its own, the first those of
 * `generate`: how many there are changes none of them.
 */
export async function* generateSamples(source: NextTokensSource, options: SampleOptions): AsyncGenerator<SampledToken> {
  const { prompt, settings, maxTokens, stopTokens = [], samples, isOver, signal } = options;
  const drafts = Array.from(
    { length: samples },
    (_, sample): Draft => ({ sample, ids: [...prompt], surprises: [], over: false }),
  );
  for (let position = 0; position < maxTokens; position++) {
    const open = drafts.filter((draft) => !draft.over && !isOver?.(draft.sample));
    if (open.length === 0 || signal?.aborted) return;
    const nexts = await source.nextOfEach(open.map(({ ids }) => ids));
    for (const [i, draft] of open.entries()) {
      const token = extend(draft, nexts[i]!, settings, position);
      draft.over = stopTokens.includes(token.id);
      yield token;
    }
    await setImmediate();
  }
}

/** Draws the next token of a text and appends it. */
function extend(draft: Draft, next: NextToken, settings: SamplingSettings, position: number): SampledToken {
  const { sample, ids, surprises } = draft;
  const uniform = filterUniform(settings.seed, position, sample);
  const outlook = lookAhead(next.logProbs, settings, { ids: [...ids], surprises: [...surprises], uniform });
  const { id, probability } = drawFrom(outlook.final, settings.seed, position, sample);
  ids.push(id);
  surprises.push(-Math.log2(probability));
  return { sample, position, id, next, outlook, logProb: next.logProbs[id]!, probability };
}
