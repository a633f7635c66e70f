/** @file `softbox eval`: how well a model predicts a text. */
import type { Command } from "commander";
import { type GateUse, gateLine, gateWarnings } from "../../analysis/gate.ts";
import { gateUse } from "../../analysis/gateUse.ts";
import { SandboxError } from "../../engine/errors.ts";
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
import { declareMembers, evaluateMembers, type MemberFlags } from "../evaluateMembers.ts";
import { formatCount, note, print, printJson, tellNowAndThen } from "../output.ts";
import { chooseRun } from "../runOptions.ts";
import { textOfRun } from "../textOfRun.ts";

/** Positions at which the gate of a mixture is looked at. */
const gateTokens = 8192;

interface EvalFlags extends EngineOptions, DynamicFlags, MemberFlags {
  readonly calibrated?: boolean;
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
  declareMembers(command);
  declareEngine(command);
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
async function predictRepaired(
  run: LoadedRun,
  ids: Int32Array,
  { maxTokens }: EvalFlags,
): Promise<RepairedEvaluation & { readonly repair: string }> {
  const { batchSize } = run.config.training;
  const predictions = modelPredictions(run.model, { ids, batchSize, maxTokens });
  const repair = loadRepair(run);
  return { ...(await evaluateRepaired(predictions, repair, tokenByteLengths(run.tokenizer))), repair: repair.kind };
}

/** Ways to evaluate that exclude each other. */
const ways = [
  ["--calibrated", "calibrated"],
  ["--dynamic", "dynamic"],
  ["--mc-dropout", "mcDropout"],
  ["--ensemble", "ensemble"],
] as const satisfies readonly (readonly [string, keyof EvalFlags])[];

/** @throws {SandboxError} for flags that do not go together. */
function expectOneWay(flags: EvalFlags): void {
  const [first, second] = ways.filter(([, key]) => flags[key] !== undefined).map(([flag]) => flag);
  if (second) throw new SandboxError(`eval: ${first} and ${second} do not go together`, "Leave one of them out.");
  if (flags.perToken && !flags.ensemble && flags.mcDropout === undefined)
    throw new SandboxError(
      "eval: --per-token needs --mc-dropout or --ensemble",
      "softbox score shows the tokens of one model.",
    );
}

/** A mixture's gate as JSON, with what is wrong with it. */
const plainGate = (gate: GateUse | undefined): object =>
  gate ? { gate: { ...gate, warnings: gateWarnings(gate, true).map(({ text }) => text) } } : {};

function printGate(gate: GateUse): void {
  print(gateLine(gate));
  for (const { text, hint } of gateWarnings(gate, true)) note(`warning: ${text}\n  ${hint}`);
}

async function run(
  options: Readonly<Record<string, unknown>>,
  [named]: readonly (string | undefined)[],
): Promise<void> {
  const flags = options as unknown as EvalFlags;
  expectOneWay(flags);
  expectDynamicFlags(flags);
  if (flags.ensemble || flags.mcDropout !== undefined) {
    await startEngine(flags);
    return evaluateMembers(named, flags, () => chooseRun(undefined));
  }
  const folder = chooseRun(named);
  await startEngine(flags);
  const loaded = await loadRun(folder, flags.step, note);
  try {
    const text = await textOfRun(loaded, flags, "eval");
    const { ids, where } = text;
    if (flags.dynamic) {
      const both = await evaluateBoth(loaded, text, evaluationOptions(loaded, ids, flags), flags);
      if (flags.json) return printJson({ run: folder, step: loaded.step, ...both });
      print(`${folder}, step ${loaded.step}, on ${both.text}: ${formatCount(both.dynamic.tokens)} tokens`);
      return printBoth(both);
    }
    const result: Evaluation & Partial<Awaited<ReturnType<typeof predictRepaired>>> = await (flags.calibrated
      ? predictRepaired(loaded, ids, flags)
      : evaluateModel(loaded.model, evaluationOptions(loaded, ids, flags)));
    const { batchSize } = loaded.config.training;
    const gate = await gateUse(loaded.model, ids, { batchSize, maxTokens: flags.maxTokens ?? gateTokens });
    if (flags.json) return printJson({ run: folder, step: loaded.step, text: where, ...result, ...plainGate(gate) });
    const repaired = result.repair === undefined ? "" : `, calibrated by ${result.repair}`;
    print(`${folder}, step ${loaded.step}, on ${where}: ${formatCount(result.tokens)} tokens${repaired}`);
    if (result.natsBefore !== undefined) print(`uncalibrated   ${result.natsBefore.toFixed(4)} nats per token`);
    print(`loss           ${result.nats.toFixed(4)} nats per token`);
    print(`perplexity     ${result.perplexity.toFixed(2)}`);
    print(`bits per byte  ${result.bitsPerByte.toFixed(4)}`);
    if (gate) printGate(gate);
  } finally {
    loaded.dispose();
  }
}

export const evaluate: CommandModule = { declare, run };
