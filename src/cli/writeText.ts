/** @file Streams generated text to the terminal. Shared by `generate` and `start`. */
import type { LoadedRun } from "../experiments/loadRun.ts";
import { type GeneratedToken, generate, type NextTokenSource } from "../sampling/generate.ts";
import type { SamplingSettings } from "../sampling/settings.ts";
import { createStreamDecoder } from "../text/tokenizer.ts";
import { print, printPart, safeText } from "./output.ts";

export interface WriteOptions {
  readonly prompt: string;
  readonly settings: SamplingSettings;
  readonly maxTokens: number;
  readonly signal?: AbortSignal;
  /** What tells the distributions; the run's own model where absent. */
  readonly source?: NextTokenSource;
}

/** A token with the text that it completes: whole characters only, "" where one is still open. */
export type TokenWithText = GeneratedToken & { readonly text: string };

/** Generated tokens with their text. */
export async function* generateText(
  { model, tokenizer }: Pick<LoadedRun, "model" | "tokenizer">,
  { prompt, source = model, ...options }: WriteOptions,
): AsyncGenerator<TokenWithText> {
  const decoder = createStreamDecoder(tokenizer);
  for await (const token of generate(source, { ...options, prompt: [...tokenizer.encode(prompt)] }))
    yield { ...token, text: decoder.push(token.id) };
}

/** Prints the prompt and what follows it, as it comes. */
export async function writeText(run: Pick<LoadedRun, "model" | "tokenizer">, options: WriteOptions): Promise<void> {
  printPart(safeText(options.prompt));
  for await (const { text } of generateText(run, options)) printPart(safeText(text));
  print();
}
