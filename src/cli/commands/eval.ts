/** @file `softbox eval`: how well a model predicts a text. */
import type { Command } from "commander";
import { evaluateRepaired, type RepairedEvaluation } from "../../experiments/evaluateRepaired.ts";
import { type LoadedRun, loadRun } from "../../experiments/loadRun.ts";
import { loadRepair } from "../../experiments/repairs.ts";
import { tokenByteLengths } from "../../experiments/runTraining.ts";
import { splitNames } from "../../text/splits.ts";
import { type Evaluation, type EvaluationOptions, evaluate as evaluateModel } from "../../training/evaluation.ts";
import { modelPredictions } from "../../training/predictions.ts";
import {
  type CommandModule,
  calibratedHelp,
  declareEngine,
  type EngineOptions,
  startEngine,
  wholeNumber,
} from "../command.ts";
import { type DynamicFlags, declareDynamic, evaluateBoth, expectDynamicFlags, printBoth } from "../evaluateBoth.ts";
import { formatCount, note, print, printJson } from "../output.ts";
import { chooseRun } from "../runOptions.ts";
import { textOfRun } from "../textOfRun.ts";

/** Least time between two lines of progress. */
const progressMilliseconds = 5000;

interface EvalFlags extends EngineOptions, DynamicFlags {
  readonly on?: string;
  readonly split: string;
  readonly step: string;
  readonly maxTokens?: number;
  readonly calibrated?: boolean;
  readonly lossy?: boolean;
  readonly json?: boolean;
}

function declare(command: Command): void {
  command
    .argument("[run]", "a run's folder (default: the newest under checkpoints/)")
    .option("--on <corpus>", "a corpus's name, or a file, folder or glob (default: the run's own corpus)")
    .option(
      "--split <name>",
      `${splitNames.join(", ")} of the run's own corpus; all = the whole text (default with --on)`,
    )
    .option("--step <which>", "which checkpoint: latest, best, or a step's number", "latest")
    .option("--max-tokens <n>", "at most so many tokens, spread evenly (default: all)", wholeNumber("--max-tokens", 1))
    .option("--calibrated", calibratedHelp)
    .option("--lossy", "replace bytes that are not UTF-8 instead of refusing the text")
    .option("--json", "one JSON object");
  declareDynamic(command);
  declareEngine(command);
}

/** Says on stderr how far a long evaluation has come; short ones stay silent. */
function tellNowAndThen(all: number): (tokens: number) => void {
  let told = performance.now();
  return (tokens) => {
    if (performance.now() - told < progressMilliseconds) return;
    told = performance.now();
    note(`predicted ${formatCount(tokens)} of ${formatCount(all)} tokens`);
  };
}

function evaluationOptions({ tokenizer, config }: LoadedRun, ids: Int32Array, flags: EvalFlags): EvaluationOptions {
  return {
    ids,
    tokenBytes: tokenByteLengths(tokenizer),
    batchSize: config.training.batchSize,
    onProgress: tellNowAndThen(Math.min(ids.length - 1, flags.maxTokens ?? Number.POSITIVE_INFINITY)),
    ...(flags.maxTokens === undefined ? {} : { maxTokens: flags.maxTokens }),
  };
}

/** Windows that each begin anew, also where the model could carry a state, as repairs are fitted on them. */
function predictRepaired(run: LoadedRun, ids: Int32Array, { maxTokens }: EvalFlags): Promise<RepairedEvaluation> {
  const { batchSize } = run.config.training;
  const predictions = modelPredictions(run.model, { ids, batchSize, maxTokens });
  return evaluateRepaired(predictions, loadRepair(run), tokenByteLengths(run.tokenizer));
}

async function run(
  options: Readonly<Record<string, unknown>>,
  [named]: readonly (string | undefined)[],
): Promise<void> {
  const flags = options as unknown as EvalFlags;
  expectDynamicFlags(flags);
  const folder = chooseRun(named);
  await startEngine(flags);
  const loaded = await loadRun(folder, flags.step, note);
  try {
    const { ids, where } = await textOfRun(loaded, flags, "eval");
    if (flags.dynamic) {
      const both = await evaluateBoth(loaded.model, evaluationOptions(loaded, ids, flags), flags);
      if (flags.json) return printJson({ run: folder, step: loaded.step, text: where, ...both });
      print(`${folder}, step ${loaded.step}, on ${where}: ${formatCount(both.dynamic.tokens)} tokens`);
      return printBoth(both);
    }
    const result: Evaluation & Partial<RepairedEvaluation> = await (flags.calibrated
      ? predictRepaired(loaded, ids, flags)
      : evaluateModel(loaded.model, evaluationOptions(loaded, ids, flags)));
    if (flags.json) return printJson({ run: folder, step: loaded.step, text: where, ...result });
    print(`${folder}, step ${loaded.step}, on ${where}: ${formatCount(result.tokens)} tokens`);
    if (result.natsBefore !== undefined) print(`uncalibrated   ${result.natsBefore.toFixed(4)} nats per token`);
    print(`loss           ${result.nats.toFixed(4)} nats per token`);
    print(`perplexity     ${result.perplexity.toFixed(2)}`);
    print(`bits per byte  ${result.bitsPerByte.toFixed(4)}`);
  } finally {
    loaded.dispose();
  }
}

export const evaluate: CommandModule = { declare, run };
