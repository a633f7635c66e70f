/** @file `softbox eval --dynamic`: the loss of a model as trained beside that of one that goes on learning from the text. */
import type { Command } from "commander";
import { SandboxError } from "../engine/errors.ts";
import type { LanguageModel } from "../lm/model.ts";
import { evaluateDynamically } from "../training/dynamicEvaluation.ts";
import { type Evaluation, type EvaluationOptions, evaluate } from "../training/evaluation.ts";
import { anyNumber } from "./command.ts";
import { print } from "./output.ts";

/** The rate: of 0.003, 0.01 and 0.03 the one best for a small character model, where 0.1 harms; a model over larger tokens bore 0.03. */
const defaults = { rate: 0.01, decay: 0.001 };

export interface DynamicFlags {
  readonly dynamic?: boolean;
  readonly dynamicRate?: number;
  readonly dynamicDecay?: number;
}

export interface BothEvaluations {
  readonly static: Evaluation;
  readonly dynamic: Evaluation & { readonly rate: number; readonly decay: number };
}

export function declareDynamic(command: Command): void {
  command
    .option("--dynamic", "also let the model learn from each piece of the text after predicting it, in order")
    .option("--dynamic-rate <x>", `step size of --dynamic (default: ${defaults.rate})`, anyNumber("--dynamic-rate"))
    .option(
      "--dynamic-decay <x>",
      `share of the way back to the trained parameters after each piece (default: ${defaults.decay})`,
      anyNumber("--dynamic-decay"),
    );
}

/** @throws {SandboxError} for options that do not go together. */
export function expectDynamicFlags({ dynamic, dynamicRate, dynamicDecay }: DynamicFlags): void {
  if (!dynamic && (dynamicRate ?? dynamicDecay) !== undefined)
    throw new SandboxError("eval: --dynamic-rate and --dynamic-decay need --dynamic", "Add --dynamic.");
}

/** Both read one row, in order; `maxTokens` takes the beginning of the text. */
export async function evaluateBoth(
  model: LanguageModel,
  options: EvaluationOptions,
  flags: DynamicFlags,
): Promise<BothEvaluations> {
  const { maxTokens, ...rest } = options;
  const ids = maxTokens === undefined ? options.ids : options.ids.subarray(0, maxTokens + 1);
  const rate = flags.dynamicRate ?? defaults.rate;
  const decay = flags.dynamicDecay ?? defaults.decay;
  const dynamic = await evaluateDynamically(model, { ...rest, ids, rate, decay });
  return { static: await evaluate(model, { ...rest, ids, batchSize: 1 }), dynamic: { ...dynamic, rate, decay } };
}

export function printBoth({ static: before, dynamic }: BothEvaluations): void {
  const row = (name: string, figure: (of: Evaluation) => string): void =>
    print(`${name.padEnd(15)}${figure(before).padStart(10)}${figure(dynamic).padStart(10)}`);
  print(`${" ".repeat(15)}${"static".padStart(10)}${"dynamic".padStart(10)}`);
  row("nats per token", ({ nats }) => nats.toFixed(4));
  row("perplexity", ({ perplexity }) => perplexity.toFixed(2));
  row("bits per byte", ({ bitsPerByte }) => bitsPerByte.toFixed(4));
}
