/** @file The text that a command predicts with a run's model: a split of its own corpus, or another text. */
import { SandboxError } from "../engine/errors.ts";
import type { LoadedRun } from "../experiments/loadRun.ts";
import { loadCorpus } from "../text/corpus.ts";
import { prepareDataset } from "../text/dataset.ts";
import { splitNames } from "../text/splits.ts";
import { oneOf } from "./command.ts";

export interface TextFlags {
  readonly on?: string;
  readonly split?: string;
  readonly lossy?: boolean;
}

/** Ids, and where they come from. */
export interface TextOfRun {
  readonly ids: Int32Array;
  readonly where: string;
}

/** @throws {SandboxError} if there is no such text or split, or it has nothing to predict; `command` for the message. */
export async function textOfRun(run: LoadedRun, flags: TextFlags, command: string): Promise<TextOfRun> {
  const text = await readText(run, flags);
  if (text.ids.length >= 2) return text;
  throw new SandboxError(
    `${command}: ${text.where} has ${text.ids.length} tokens, expected at least 2`,
    "Choose a longer text or another split.",
  );
}

async function readText({ config, tokenizer }: LoadedRun, flags: TextFlags): Promise<TextOfRun> {
  const corpus = await loadCorpus(flags.on ?? config.corpus, { lossy: flags.lossy ?? false });
  const split = flags.split ?? (flags.on === undefined ? "validation" : "all");
  const name = oneOf("--split", [...splitNames, "all"], split, "The default is validation.");
  if (name === "all") return { ids: tokenizer.encode(corpus.text), where: corpus.name };
  const { splits } = await prepareDataset({ corpus, tokenizer, shares: config.splits });
  return { ids: splits[name].ids, where: `${corpus.name}, ${name} split` };
}
