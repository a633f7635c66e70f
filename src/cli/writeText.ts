/** @file Streams generated text to the terminal. Shared by `generate` and `start`. */
import { generateText, type TextOptions } from "../experiments/generateText.ts";
import type { LoadedRun } from "../experiments/loadRun.ts";
import { hasColour, note, print, printPart, safeText } from "./output.ts";
import { markedToken, markLegend } from "./probabilityMarks.ts";

type Model = Pick<LoadedRun, "model" | "tokenizer">;

/** Prints the prompt and what follows it, as it comes; with `show`, each token with its probability in view. */
export async function writeText(run: Model, options: TextOptions, show = false): Promise<void> {
  const colour = hasColour();
  if (show) note(markLegend(colour));
  printPart(safeText(options.prompt));
  for await (const { text, logProb } of generateText(run, options))
    printPart(show ? markedToken(safeText(text), Math.exp(logProb), colour) : safeText(text));
  print();
}

/** Writes several texts side by side and prints one below the other; what there is, when the signal comes. */
export async function writeSamples(
  run: Model,
  options: TextOptions & { readonly samples: number },
  show = false,
): Promise<void> {
  const colour = hasColour();
  if (show) note(markLegend(colour));
  const texts = Array.from({ length: options.samples }, () => "");
  for await (const { sample, text, logProb } of generateText(run, options))
    texts[sample] += show ? markedToken(safeText(text), Math.exp(logProb), colour) : safeText(text);
  for (const [i, text] of texts.entries()) print(`--- ${i + 1}\n${safeText(options.prompt)}${text}`);
}
