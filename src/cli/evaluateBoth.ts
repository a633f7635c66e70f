/**
 * @file `softbox eval --dynamic`: the loss of a model as trained beside that of one that goes on learning from the text. Its rate, if not
 * given, is chosen on text that is not judged.
 */
import type { Command } from "commander";
import { SandboxError } from "../engine/errors.ts";
import type { LoadedRun } from "../experiments/loadRun.ts";
import { evaluateDynamically, type TriedRate, tryRates } from "../training/dynamicEvaluation.ts";
import { type Evaluation, type EvaluationOptions, evaluate } from "../training/evaluation.ts";
import { anyNumber } from "./command.ts";
import { formatCount, note, print } from "./output.ts";
import { type TextFlags, type TextOfRun, textOfRun } from "./textOfRun.ts";

const defaultDecay = 0.001;
/** Rates to choose from. */
const rates = [0.0003, 0.001, 0.003, 0.01, 0.03] as const;
/** Tokens that the rate is chosen on, at most. */
const tuningTokens = 5000;
/** Share of a text that the rate is chosen on where there is no other text. */
const tuningShare = 0.2;

export interface DynamicFlags extends TextFlags {
  readonly dynamic?: boolean;
  readonly dynamicRate?: number;
  readonly dynamicDecay?: number;
}

/** How a rate was found. */
interface Tuning {
  readonly text: string;
  readonly tokens: number;
  readonly tried: readonly TriedRate[];
}

export interface BothEvaluations {
  /** What was judged. */
  readonly text: string;
  readonly static: Evaluation;
  readonly dynamic: Evaluation & { readonly rate: number; readonly decay: number; readonly tuning?: Tuning };
}

export function declareDynamic(command: Command): void {
  command
    .option("--dynamic", "also let the model learn from each piece of the text after predicting it, in order")
    .option(
      "--dynamic-rate <x>",
      `step size of --dynamic (default: the best of ${rates.join(", ")} on text that is not judged)`,
      anyNumber("--dynamic-rate"),
    )
    .option(
      "--dynamic-decay <x>",
      `share of the way back to the trained parameters after each piece (default: ${defaultDecay})`,
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
  run: LoadedRun,
  text: TextOfRun,
  options: EvaluationOptions,
  flags: DynamicFlags,
): Promise<BothEvaluations> {
  const { maxTokens, onProgress, ...rest } = options;
  const decay = flags.dynamicDecay ?? defaultDecay;
  const { judge, tune } =
    flags.dynamicRate === undefined ? await dividedText(run, text, flags) : { judge: text, tune: undefined };
  const tuning = tune && (await tuned(run, tune, { tokenBytes: rest.tokenBytes, decay }));
  const rate = tuning ? best(tuning.tried) : flags.dynamicRate!;
  const ids = maxTokens === undefined ? judge.ids : judge.ids.subarray(0, maxTokens + 1);
  const progress = onProgress ? { onProgress } : {};
  const dynamic = await evaluateDynamically(run.model, { ...rest, ...progress, ids, rate, decay });
  return {
    text: judge.where,
    static: await evaluate(run.model, { ...rest, ids, batchSize: 1 }),
    dynamic: { ...dynamic, rate, decay, ...(tuning ? { tuning } : {}) },
  };
}

interface DividedText {
  readonly judge: TextOfRun;
  readonly tune: TextOfRun;
}

/** What to judge on and what to choose the rate on: the calibration split if it is not judged, else the text's own beginning. */
async function dividedText({ config, ...run }: LoadedRun, text: TextOfRun, flags: DynamicFlags): Promise<DividedText> {
  const isApart =
    flags.on === undefined && (flags.split === undefined || ["train", "validation"].includes(flags.split));
  if (isApart && config.splits.calibration > 0) {
    const lossy = { lossy: flags.lossy ?? false };
    return { judge: text, tune: await textOfRun({ config, ...run }, { ...lossy, split: "calibration" }, "eval") };
  }
  const cut = Math.floor(text.ids.length * tuningShare);
  if (cut < 2)
    throw new SandboxError(
      `eval: ${text.where} has ${text.ids.length} tokens, too few to choose a rate on a fifth of them`,
      "Give a rate: --dynamic-rate 0.01.",
    );
  const tune = { ids: text.ids.subarray(0, cut), where: `${text.where}, first fifth` };
  return { tune, judge: { ids: text.ids.subarray(cut), where: `${text.where}, but for its first fifth` } };
}

async function tuned(
  { model }: LoadedRun,
  { ids, where }: TextOfRun,
  options: { readonly tokenBytes: Int32Array; readonly decay: number },
): Promise<Tuning> {
  const start = ids.subarray(0, tuningTokens + 1);
  note(`choosing the rate on ${where}: ${formatCount(start.length - 1)} tokens`);
  const tried = await tryRates(model, rates, { ...options, ids: start });
  return { text: where, tokens: start.length - 1, tried };
}

/** The rate of lowest loss. */
const best = (tried: readonly TriedRate[]): number =>
  tried.reduce((lowest, each) => (each.nats < lowest.nats ? each : lowest)).rate;

export function printBoth({ static: before, dynamic }: BothEvaluations): void {
  const row = (name: string, figure: (of: Evaluation) => string): void =>
    print(`${name.padEnd(15)}${figure(before).padStart(10)}${figure(dynamic).padStart(10)}`);
  print(`${" ".repeat(15)}${"static".padStart(10)}${"dynamic".padStart(10)}`);
  row("nats per token", ({ nats }) => nats.toFixed(4));
  row("perplexity", ({ perplexity }) => perplexity.toFixed(2));
  row("bits per byte", ({ bitsPerByte }) => bitsPerByte.toFixed(4));
  const { rate, decay, tuning } = dynamic;
  if (!tuning) return print(`rate ${rate}, as given; decay ${decay}`);
  print(`rate ${rate}, decay ${decay}; the rate was chosen on other text, ${tuning.text}:`);
  print(
    tuning.tried
      .map((each) => `${each.rate} ${Number.isFinite(each.nats) ? each.nats.toFixed(4) : "runs away"}`)
      .join(" · "),
  );
}
