/** @file `softbox export`: a run's model as a Hugging Face folder, a GGUF file, or a run without the optimiser's state. */
import { basename, resolve } from "node:path";
import type { Command } from "commander";
import { type ExportFormat, exportFormats, exportRun } from "../../experiments/exportRun.ts";
import { type NumberType, numberTypes } from "../../lm/checkpoint/numberTypes.ts";
import { type CommandModule, oneOf } from "../command.ts";
import { addHelp } from "../helpText.ts";
import { note, print, printJson } from "../output.ts";
import { chooseRun } from "../runOptions.ts";

interface ExportFlags {
  readonly format: string;
  readonly out?: string;
  readonly type: string;
  readonly step: string;
  readonly json?: boolean;
}

/** What a run's name gets where no place is named. */
const endings: Readonly<Record<ExportFormat, string>> = { hf: "-hf", gguf: ".gguf", run: "-weights" };

function declare(command: Command): void {
  command
    .argument("[run]", "a run's folder (default: the newest under checkpoints/)")
    .option(
      "--format <name>",
      "hf: a folder that transformers load; gguf: a file that llama.cpp runs; run: a run of ours, weights alone",
      "hf",
    )
    .option("--out <path>", "the folder or file (default: <run's name>-hf, .gguf or -weights, here)")
    .option("--type <name>", `how numbers are stored: ${numberTypes.join(", ")}`, "float32")
    .option("--step <which>", "which checkpoint: latest, best, or a step's number", "latest")
    .option("--json", "JSON instead of text");
  addHelp(command, () => [
    "hf and gguf take models in GPT-2's form: learned positions, layer norm, GELU, a softmax head; tokenizers gpt2, byte, or an imported one. run takes any.",
  ]);
}

async function run(
  options: Readonly<Record<string, unknown>>,
  [named]: readonly (string | undefined)[],
): Promise<void> {
  const flags = options as unknown as ExportFlags;
  const format = oneOf("--format", exportFormats, flags.format);
  const type: NumberType = oneOf("--type", numberTypes, flags.type);
  const folder = chooseRun(named);
  const out = flags.out ?? `${basename(resolve(folder))}${endings[format]}`;
  const step = await exportRun(folder, { format, out, type, step: flags.step, onWarning: note });
  if (flags.json) return printJson({ run: folder, step, format, type, out });
  print(`${folder}, step ${step}, as ${format} in ${type}: ${out}`);
}

export const exportCommand: CommandModule = { declare, run };
