/** @file Streams generated text to the terminal. Shared by `generate` and `start`. */
import { generateText, type TextOptions, type TokenWithText } from "../experiments/generateText.ts";
import type { LoadedRun } from "../experiments/loadRun.ts";
import { gapAfter } from "../experiments/prompts.ts";
import { hasColour, note, print, printPart, safeText } from "./output.ts";
import { markedToken, markLegend } from "./probabilityMarks.ts";

type Model = Pick<LoadedRun, "model" | "tokenizer">;

/**
 * Prints the prompt and what follows it, as it comes; with `show`, each token with its probability in view.
 *
 * @returns whether prompt and text outgrew the context.
 */
export async function writeText(run: Model, options: TextOptions, show = false): Promise<boolean> {
  const colour = hasColour();
  if (show) note(markLegend(colour));
  printPart(promptOf(run, options));
  let outgrew = false;
  for await (const token of generateText(run, options)) {
    printPart(shown(token, show, colour));
    outgrew ||= token.next.windowed;
  }
  print();
  return outgrew;
}

/** Writes several texts side by side and prints one below the other; what there is, when the signal comes. Returns the same. */
export async function writeSamples(
  run: Model,
  options: TextOptions & { readonly samples: number },
  show = false,
): Promise<boolean> {
  const colour = hasColour();
  if (show) note(markLegend(colour));
  const texts = Array.from({ length: options.samples }, () => "");
  let outgrew = false;
  for await (const token of generateText(run, options)) {
    texts[token.sample] += shown(token, show, colour);
    outgrew ||= token.next.windowed;
  }
  for (const [i, text] of texts.entries()) print(`--- ${i + 1}\n${promptOf(run, options)}${text}`);
  return outgrew;
}

/** The prompt with what stands between it and the text. */
const promptOf = ({ tokenizer }: Model, { prompt }: TextOptions): string =>
  safeText(prompt + gapAfter(prompt, tokenizer));

/** A token's new text, with its probability in view if that is wanted. */
const shown = ({ text, logProb }: TokenWithText, show: boolean, colour: boolean): string =>
  show ? markedToken(safeText(text), Math.exp(logProb), colour) : safeText(text);
