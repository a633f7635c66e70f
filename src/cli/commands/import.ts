/** @file `softbox import`: a GPT-2 in Hugging Face's layout becomes a run. */
import { basename, join, resolve } from "node:path";
import type { Command } from "commander";
import { givenTokenizers, importRun } from "../../experiments/importRun.ts";
import { type CommandModule, oneOf } from "../command.ts";
import { addHelp } from "../helpText.ts";
import { formatCount, print, printJson } from "../output.ts";
import { anchoredCorpus } from "../runOptions.ts";

interface ImportFlags {
  readonly run?: string;
  readonly corpus: string;
  readonly tokenizer?: string;
  readonly json?: boolean;
}

function declare(command: Command): void {
  command
    .argument("<folder>", "config.json, model.safetensors (or shards with their index), tokenizer files")
    .option("--run <folder>", "where the run is kept (default: checkpoints/<folder's name>)")
    .option("--corpus <name>", "the text that eval and calibrate judge on, unless told another", "moby-dick")
    .option("--tokenizer <kind>", `${givenTokenizers.join(" or ")}, in place of the folder's tokenizer files`)
    .option("--json", "JSON instead of text");
  addHelp(command, () => ["GPT-2 of any size, stored as float32, float16 or bfloat16."]);
}

function tokenizerFlag(name: string | undefined): { tokenizer?: (typeof givenTokenizers)[number] } {
  if (name === undefined) return {};
  const hint = "Leave it out to use the folder's own tokenizer files.";
  return { tokenizer: oneOf("--tokenizer", givenTokenizers, name, hint) };
}

async function run(
  options: Readonly<Record<string, unknown>>,
  [folder]: readonly (string | undefined)[],
): Promise<void> {
  const flags = options as unknown as ImportFlags;
  const place = flags.run ?? join("checkpoints", basename(resolve(folder!)));
  const imported = await importRun(folder!, {
    run: place,
    corpus: anchoredCorpus(flags.corpus),
    ...tokenizerFlag(flags.tokenizer),
  });
  if (flags.json) return printJson(imported);
  const { model, vocabSize, tokenizer, parameters } = imported;
  if (model.kind === "transformer")
    print(
      `${formatCount(parameters)} parameters: ${model.layers} layers, ${model.heads} heads, ${model.embedSize} wide, ` +
        `context ${model.contextLength}, ${formatCount(vocabSize)} tokens (${tokenizer})`,
    );
  print(`run: ${place}`);
}

export const importCommand: CommandModule = { declare, run };
