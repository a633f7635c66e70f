/** @file Text from a model: prompts and stop strings are text, tokens come with theirs. */

import type { Repair } from "../calibration/repairs/table.ts";
import { SandboxError } from "../engine/errors.ts";
import { createReader, prepareForReading } from "../lm/reader.ts";
import { generateSamples, type SampledToken } from "../sampling/generate.ts";
import { parseSamplingSettings, type SamplingSettings } from "../sampling/settings.ts";
import { createStoppedText } from "../text/stoppedText.ts";
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

/**
 * Writes text after a prompt, token by token; with `samples`, several texts, a token of each in turn. The last token of each brings
 * the rest of its text: after the signal, every text gets one more, so that nothing that was held back is lost.
 *
 * @throws {SandboxError} for settings out of range, or a prompt of no tokens.
 */
export async function* generateText(
  { model, tokenizer }: Pick<LoadedRun, "model" | "tokenizer">,
  { prompt, settings = {}, maxTokens = 100, samples = 1, stop = [], stopTokens = [], signal, repair }: TextOptions,
): AsyncGenerator<TokenWithText> {
  if (stop.includes("")) throw new SandboxError("stop: expected some text, got none", "Leave it out, or name a text.");
  if (signal?.aborted) return;
  const texts = Array.from({ length: samples }, () => createStoppedText(tokenizer, stop));
  const ids = [...tokenizer.encode(prompt)];
  prepareForReading(model);
  const reader = createReader(model);
  const isOver = (sample: number): boolean => texts[sample]!.over;
  const options = { prompt: ids, settings: parseSamplingSettings(settings), maxTokens, samples, stopTokens, isOver };
  try {
    for await (const token of generateSamples(repair ? repairedReader(reader, repair) : reader, options)) {
      const isLast = token.position + 1 === maxTokens || stopTokens.includes(token.id) || (signal?.aborted ?? false);
      const text = texts[token.sample]!;
      const sure = text.push(token.id);
      yield { ...token, text: isLast ? sure + text.end() : sure };
    }
  } finally {
    reader.dispose();
  }
}
