/** @file `softbox corpus list | stats | prepare`. */
import type { Command } from "commander";
import { SandboxError } from "../../engine/errors.ts";
import { didYouMean } from "../../engine/nearest.ts";
import { listCorpora, loadCorpus } from "../../text/corpus.ts";
import { prepareDataset } from "../../text/dataset.ts";
import { splitNames } from "../../text/splits.ts";
import { type CorpusStatistics, corpusStatistics } from "../../text/statistics.ts";
import { createTokenizer, isTokenizerName, type TokenizerName, tokenizerNames } from "../../text/tokenizer.ts";
import { type CommandModule, oneOf } from "../command.ts";
import { formatCount, print, printJson } from "../output.ts";

interface CorpusFlags {
  readonly tokenizer: string;
  readonly lossy?: boolean;
  readonly json?: boolean;
}

const actions = { list, stats, prepare } as const;

function declare(command: Command): void {
  command
    .argument("<action>", "list: what there is · stats: counts of a text · prepare: encode it now, for later runs")
    .argument("[corpus]", "a corpus's name, or a file, folder or glob")
    .option("--tokenizer <kind>", tokenizerNames, "gpt2-compact")
    .option("--lossy", "replace bytes that are not UTF-8 instead of refusing the text")
    .option("--json", "JSON instead of text");
}

async function run(
  options: Readonly<Record<string, unknown>>,
  [action, source]: readonly (string | undefined)[],
): Promise<void> {
  const name = oneOf("corpus", ["list", "stats", "prepare"], action!);
  await actions[name](options as unknown as CorpusFlags, source);
}

async function list({ json }: CorpusFlags): Promise<void> {
  const corpora = listCorpora();
  if (json) return printJson(corpora);
  for (const { name, description, licence } of corpora) print(`${name.padEnd(12)}${description} (${licence})`);
}

function named(source: string | undefined): string {
  if (source !== undefined) return source;
  throw new SandboxError("corpus: expected a corpus's name or a file", "softbox corpus list shows the names.");
}

function kindOf({ tokenizer }: CorpusFlags): TokenizerName {
  if (isTokenizerName(tokenizer)) return tokenizer;
  throw new SandboxError(
    `--tokenizer: expected ${tokenizerNames}, got ${JSON.stringify(tokenizer)}`,
    `${didYouMean(tokenizer, tokenizerNames.split(", "))}The default is gpt2-compact.`,
  );
}

async function stats(flags: CorpusFlags, source: string | undefined): Promise<void> {
  const kind = kindOf(flags);
  const corpus = await loadCorpus(named(source), { lossy: flags.lossy ?? false });
  const statistics = corpusStatistics(corpus, createTokenizer(kind, corpus.text));
  if (flags.json) return printJson({ ...statistics, truth: corpus.truth });
  printStatistics(corpus.name, statistics);
  if (corpus.truth)
    print(
      `known entropy           ${corpus.truth.natsPerCharacter.toFixed(4)} nats per character, ` +
        `${corpus.truth.bitsPerByte.toFixed(4)} bits per byte: no model can do better`,
    );
}

function printStatistics(name: string, statistics: CorpusStatistics): void {
  print(name);
  for (const [key, value] of Object.entries(statistics))
    if (typeof value === "number")
      print(`${words(key).padEnd(24)}${Number.isInteger(value) ? formatCount(value) : value.toFixed(4)}`);
  const frequent = statistics.mostFrequent.map(({ text, count }) => `${text} ${formatCount(count)}`);
  print(`most frequent           ${frequent.join("  ")}`);
}

/** `bytesPerToken` as `bytes per token`. */
const words = (key: string): string => key.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

async function prepare(flags: CorpusFlags, source: string | undefined): Promise<void> {
  const kind = kindOf(flags);
  const corpus = await loadCorpus(named(source), { lossy: flags.lossy ?? false });
  const shares = { train: 0.9, validation: 0.05, calibration: 0.05 };
  const { splits, tokenizer } = await prepareDataset({ corpus, tokenizer: kind, shares });
  if (flags.json)
    return printJson({ corpus: corpus.name, tokenizer: kind, vocabSize: tokenizer.vocabSize, tokens: counts(splits) });
  const each = splitNames.map((name) => `${name} ${formatCount(splits[name].ids.length)}`).join(", ");
  print(`${corpus.name}: vocabulary ${formatCount(tokenizer.vocabSize)} (${kind}), tokens: ${each}`);
}

const counts = (splits: Record<string, { ids: Int32Array }>): object =>
  Object.fromEntries(Object.entries(splits).map(([name, { ids }]) => [name, ids.length]));

export const corpus: CommandModule = { declare, run };
