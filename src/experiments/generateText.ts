/** @file Text from a model: prompts and stop strings are text, tokens come with theirs. */

import type { Repair } from "../calibration/repairs/table.ts";
import { SandboxError } from "../engine/errors.ts";
import { createReader, prepareForReading } from "../lm/reader.ts";
import { generateSamples, type SampledToken } from "../sampling/generate.ts";
import { parseSamplingSettings, type SamplingSettings } from "../sampling/settings.ts";
import { createStreamDecoder, type Tokenizer } from "../text/tokenizer.ts";
import type { LoadedRun } from "./loadRun.ts";
import { repairedReader } from "./repairs.ts";

export interface TextOptions {
  /** Text to go on from. */
  readonly prompt: string;
  /** As `parseSamplingSettings` reads them; what is left out has its default. */
  readonly settings?: Partial<SamplingSettings>;
  /** Most tokens of a text, 100 unless given. */
  readonly maxTokens?: number;
  /** Texts side by side, 1 unless given. */
  readonly samples?: number;
  /** A text ends before the first of these; it is not shown. */
  readonly stop?: readonly string[];
  /** Ids that end a text. */
  readonly stopTokens?: readonly number[];
  readonly signal?: AbortSignal;
  /** A calibration that the distributions go through first. */
  readonly repair?: Repair;
}

/** A token with the text that is certain now: whole characters only, "" where one, or a stop string, may be under way. */
export type TokenWithText = SampledToken & { readonly text: string };

/** The text of one sample as it comes. */
interface Stream {
  readonly push: (id: number) => string;
  /** What was held back, at the end. */
  readonly rest: () => string;
  stopped: boolean;
}

/** Holds back what may be the beginning of a stop string. */
function createStream(tokenizer: Tokenizer, stops: readonly string[]): Stream {
  const decoder = createStreamDecoder(tokenizer);
  let held = "";
  const stream: Stream = {
    stopped: false,
    push: (id) => {
      held += decoder.push(id);
      const found = stops.map((stop) => held.indexOf(stop)).filter((at) => at >= 0);
      stream.stopped = found.length > 0;
      const sure = stream.stopped ? Math.min(...found) : held.length - openEnd(held, stops);
      const text = held.slice(0, sure);
      held = stream.stopped ? "" : held.slice(sure);
      return text;
    },
    rest: () => held,
  };
  return stream;
}

/** How many last characters of a text may be the beginning of a stop string. */
function openEnd(text: string, stops: readonly string[]): number {
  let longest = 0;
  for (const stop of stops)
    for (let length = 1; length < stop.length && length <= text.length; length++)
      if (stop.startsWith(text.slice(text.length - length))) longest = Math.max(longest, length);
  return longest;
}

/**
 * Writes text after a prompt, token by token; with `samples`, several texts, a token of each in turn. The last token of each brings
 * the rest of its text.
 *
 * @throws {SandboxError} for settings out of range, or a prompt of no tokens.
 */
export async function* generateText(
  { model, tokenizer }: Pick<LoadedRun, "model" | "tokenizer">,
  { prompt, settings = {}, maxTokens = 100, samples = 1, stop = [], repair, ...rest }: TextOptions,
): AsyncGenerator<TokenWithText> {
  if (stop.includes("")) throw new SandboxError("stop: expected some text, got none", "Leave it out, or name a text.");
  const streams = Array.from({ length: samples }, () => createStream(tokenizer, stop));
  const ids = [...tokenizer.encode(prompt)];
  prepareForReading(model);
  const reader = createReader(model);
  const isOver = (sample: number): boolean => streams[sample]!.stopped;
  const options = { ...rest, prompt: ids, settings: parseSamplingSettings(settings), maxTokens, samples, isOver };
  try {
    for await (const token of generateSamples(repair ? repairedReader(reader, repair) : reader, options)) {
      const stream = streams[token.sample]!;
      const text = stream.push(token.id);
      const isLast = !stream.stopped && (token.position + 1 === maxTokens || rest.stopTokens?.includes(token.id));
      yield { ...token, text: isLast ? text + stream.rest() : text };
    }
  } finally {
    reader.dispose();
  }
}
