/** @file `softbox play` as plain lines, for pipes, `TERM=dumb` and `NO_COLOR`: the same information, once. */
import { column, label, printable } from "../cells.ts";
import { effectiveVocabulary, grouped, nats, tokenCount } from "../numbers.ts";
import type { PlayEnd, PlayOptions } from "./options.ts";
import type { Candidate, ModelCard, NextView, PlayPort, Settings, Snapshot } from "./port.ts";
import { defaultSettings, dialText } from "./settings.ts";

export interface PlainOptions extends Pick<PlayOptions, "prompt" | "settings" | "signal"> {
  /** Tokens of the continuation; 64 if absent. */
  readonly tokens?: number;
  /** Candidates in the table; 20 if absent. */
  readonly candidates?: number;
}

/**
 * Writes the prompt, the distribution after it as a table, and one sampled continuation.
 *
 * @param write - takes pieces of text; each line ends in `\n`. Nothing else is printed.
 * @returns how it ended; the port is closed. Errors of the port come through.
 */
export async function plainPlay(
  port: PlayPort,
  options: PlainOptions,
  write: (text: string) => void,
): Promise<PlayEnd> {
  const settings = { ...defaultSettings, ...options.settings };
  try {
    const card = await port.open();
    write(`${cardText(card)}\n`);
    const first = await port.prompt(options.prompt ?? "", settings);
    write(`${settingsText(settings, first.repair)}\n`);
    write(`prompt: ${JSON.stringify(textOf(first))} (${tokenCount(first.tokens.length)})\n\n`);
    write(distributionText(first, card, options.candidates ?? 20));
    const last = await streamTokens(port, first, settings, options, write);
    const text = last.tokens.map((token) => token.text).join("");
    return { reason: options.signal?.aborted ? "aborted" : "quit", text, settings, card };
  } finally {
    await port.close();
  }
}

/** Samples tokens and writes them as they come, then a line on how likely they were. */
async function streamTokens(
  port: PlayPort,
  first: Snapshot,
  settings: Settings,
  options: PlainOptions,
  write: (text: string) => void,
): Promise<Snapshot> {
  write(`\ntext:\n${printable(textOf(first))}`);
  let snapshot = first;
  let shown = textOf(first).length;
  for (let count = 0; count < (options.tokens ?? 64) && !options.signal?.aborted; count++) {
    snapshot = await port.step(settings);
    const text = textOf(snapshot);
    write(printable(text.slice(shown)));
    shown = text.length;
  }
  write(`\n\n${surpriseText(snapshot)}\n`);
  return snapshot;
}

function textOf({ tokens }: Snapshot): string {
  return tokens.map((token) => token.text).join("");
}

function cardText({ run, step, head, parameters, vocabSize, contextLength, engine }: ModelCard): string {
  const sizes = `${grouped(parameters)} parameters · vocabulary ${grouped(vocabSize)}`;
  return printable(`${run} · step ${step} · ${head} · ${sizes} · context ${contextLength} · ${engine}`);
}

function settingsText(settings: Settings, repair: string | undefined): string {
  const [temperature, topK, topP, minP] = (["temperature", "topK", "topP", "minP"] as const).map((dial) =>
    dialText(settings, dial),
  );
  const first = repair === undefined ? "" : `calibrated by ${repair} · `;
  return `${first}temperature ${temperature} · top-k ${topK} · top-p ${topP} · min-p ${minP} · seed ${settings.seed}`;
}

function distributionText({ next, mixture }: Snapshot, { vocabSize }: ModelCard, count: number): string {
  const rows = next.candidates.slice(0, count).map(candidateText);
  const weights = mixture === undefined ? [] : [`mixture π: ${mixture.map((weight) => weight.toFixed(4)).join(" ")}`];
  return [...entropyText(next, vocabSize), ...weights, "", "rank  final   raw     token", ...rows, ""].join("\n");
}

function entropyText({ entropy, finalEntropy }: NextView, vocabSize: number): readonly string[] {
  return [
    `entropy: ${nats(finalEntropy)} nats, raw ${nats(entropy)}`,
    `effective vocabulary: ${effectiveVocabulary(finalEntropy)}, raw ${effectiveVocabulary(entropy)} of ${grouped(vocabSize)}`,
  ];
}

function candidateText({ text, raw, final, kept }: Candidate, index: number): string {
  const shown = kept ? final.toFixed(4) : "cut";
  return `${String(index + 1).padStart(4)}  ${column(shown, 6)}  ${raw.toFixed(4)}  ${label(text)}`;
}

/** The mean surprise of what was sampled, −ln p in nats, under the raw distribution. */
function surpriseText({ tokens }: Snapshot): string {
  const sampled = tokens.flatMap(({ probability }) => (probability === undefined ? [] : [probability]));
  if (sampled.length === 0) return "sampled: 0 tokens";
  const mean = sampled.reduce((sum, probability) => sum - Math.log(probability), 0) / sampled.length;
  return `sampled: ${tokenCount(sampled.length)}, mean surprise ${mean.toFixed(2)} nats`;
}
