/** @file `softbox eval --mc-dropout` and `--ensemble`: what averaging members gains, and how much of their doubt is disagreement. */
import type { Command } from "commander";
import {
  type Averaging,
  type EnsembleMeasurement,
  type MeasuredToken,
  measureEnsemble,
  type NllChange,
} from "../calibration/ensemble.ts";
import { SandboxError } from "../engine/errors.ts";
import { type LoadedRun, loadRun } from "../experiments/loadRun.ts";
import { formatSigned } from "../experiments/numbers.ts";
import { isRun } from "../experiments/runFolder.ts";
import { tokenByteLengths } from "../experiments/runTraining.ts";
import { hasDropout } from "../lm/config.ts";
import { printableBytes } from "../text/printable.ts";
import { type MemberPredictions, maskedMembers, memberPredictions } from "../training/memberPredictions.ts";
import { wholeNumber } from "./command.ts";
import { formatCount, note, print, printJson, tellNowAndThen } from "./output.ts";
import { type TextFlags, textOfRun } from "./textOfRun.ts";

export interface MemberFlags extends TextFlags {
  readonly mcDropout?: number;
  readonly ensemble?: readonly string[];
  readonly perToken?: boolean;
  readonly step: string;
  readonly maxTokens?: number;
  readonly seed: number;
  readonly json?: boolean;
}

export function declareMembers(command: Command): void {
  command
    .option(
      "--mc-dropout <n>",
      "average over so many dropout masks, and split the entropy (Monte-Carlo dropout)",
      wholeNumber("--mc-dropout", 2, 10_000),
    )
    .option(
      "--ensemble <runs...>",
      "average over these runs, and split the entropy; run@step names a checkpoint: moby@500, moby@best",
    )
    .option("--per-token", "with one of the two: a line a token as well")
    .option("--seed <n>", "fixes the masks of --mc-dropout and the bootstrap", wholeNumber("--seed", 0), 1);
}

/** Members of one vocabulary, ready to be read. */
interface Gathered {
  readonly runs: readonly LoadedRun[];
  /** What each line of the table is called; empty where single members do not matter. */
  readonly names: readonly string[];
  readonly title: string;
  /** The model that the average is compared with, where it is not one of the members. */
  readonly single?: string;
  predictions(ids: Int32Array): MemberPredictions;
}

/** @param folder - the run named before the flags, if any; `newest` chooses one where a run is needed. */
export async function evaluateMembers(
  folder: string | undefined,
  flags: MemberFlags,
  newest: () => string,
): Promise<void> {
  const runs: LoadedRun[] = [];
  try {
    if (flags.ensemble) await loadEnsemble(namedMembers(folder, flags.ensemble), flags, runs);
    else runs.push(await loadRun(folder ?? newest(), flags.step, note));
    const gathered = flags.ensemble ? ensembleOf(runs, flags) : masksOf(runs[0]!, flags);
    await report(gathered, flags);
  } finally {
    for (const run of runs) run.dispose();
  }
}

interface MemberName {
  readonly folder: string;
  readonly step?: string;
}

function namedMembers(folder: string | undefined, named: readonly string[]): MemberName[] {
  const all = [...(folder === undefined ? [] : [folder]), ...named].map(parseMember);
  if (all.length >= 2) return all;
  throw new SandboxError(
    `--ensemble: expected at least two members, got ${named.join(" ")} alone`,
    "Train another with --seed 2, or name two checkpoints of one run: --ensemble moby@500 moby@1000.",
  );
}

function parseMember(text: string): MemberName {
  const at = text.lastIndexOf("@");
  return isRun(text) || at <= 0 ? { folder: text } : { folder: text.slice(0, at), step: text.slice(at + 1) };
}

/** Loads into `runs`, so that whoever called can free them also after an error. */
async function loadEnsemble(names: readonly MemberName[], flags: MemberFlags, runs: LoadedRun[]): Promise<void> {
  for (const { folder, step } of names) {
    const run = await loadRun(folder, step ?? flags.step, note);
    runs.push(run);
    const [first] = runs as [LoadedRun, ...LoadedRun[]];
    if (run.tokenizer.hash !== first.tokenizer.hash)
      throw new SandboxError(
        `--ensemble: ${folder} was trained with another tokenizer than ${first.folder}`,
        "Members need one vocabulary: train them on the same corpus with the same --tokenizer.",
      );
    if (runs.slice(0, -1).some((other) => nameOf(other) === nameOf(run)))
      throw new SandboxError(`--ensemble: ${nameOf(run)} is named twice`, "Name different runs or steps.");
  }
}

const nameOf = ({ folder, step }: LoadedRun): string => `${folder}@${step}`;

function ensembleOf(runs: readonly LoadedRun[], flags: MemberFlags): Gathered {
  const [first, ...others] = runs as [LoadedRun, ...LoadedRun[]];
  const learnedFrom = ({ config: { corpus, splits } }: LoadedRun): string => JSON.stringify([corpus, splits]);
  for (const other of others)
    if (learnedFrom(other) !== learnedFrom(first))
      note(
        `${other.folder} has another corpus or other splits than ${first.folder}: it may have learned from this text`,
      );
  const { maxTokens } = flags;
  return {
    runs,
    names: runs.map(nameOf),
    title: `an ensemble of ${runs.length}`,
    predictions: (ids) =>
      memberPredictions(runs, { ids, batchSize: first.config.training.batchSize, ...(maxTokens ? { maxTokens } : {}) }),
  };
}

function masksOf(run: LoadedRun, { mcDropout = 0, seed, maxTokens }: MemberFlags): Gathered {
  const { model, config } = run;
  if (!hasDropout(model.config))
    throw new SandboxError(
      `--mc-dropout: ${run.folder} was trained without dropout, so all masks would be alike`,
      "Train a model with dropout: softbox train --dropout 0.1",
    );
  return {
    runs: [run],
    names: [],
    title: `${mcDropout} dropout masks of ${nameOf(run)}`,
    single: "without dropout",
    predictions: (ids) =>
      memberPredictions(maskedMembers(model, mcDropout, seed), {
        ids,
        batchSize: config.training.batchSize,
        single: model,
        ...(maxTokens ? { maxTokens } : {}),
      }),
  };
}

async function report(gathered: Gathered, flags: MemberFlags): Promise<void> {
  const [{ tokenizer }] = gathered.runs as [LoadedRun];
  const { ids, where } = await textOfRun(gathered.runs[0]!, flags, "eval");
  const predictions = gathered.predictions(ids);
  const tokenBytes = tokenByteLengths(tokenizer);
  const tell = tellNowAndThen(predictions.count);
  let [bytes, tokens] = [0, 0];
  const onToken = (token: MeasuredToken): void => {
    bytes += tokenBytes[token.target]!;
    tell(++tokens);
    if (!flags.perToken) return;
    const text = printableBytes(tokenizer.tokenBytes(token.target));
    if (flags.json) printJson({ type: "token", text, ...token });
    else print(tokenLine(token, text));
  };
  if (!flags.json) print(`${gathered.title}, on ${where}: ${formatCount(predictions.count)} tokens`);
  if (!flags.json) print(`read in windows of ${predictions.contextLength} tokens that each begin anew`);
  if (flags.perToken && !flags.json) print(`\n${tokenTitle}`);
  const result = await measureEnsemble(predictions, { seed: flags.seed, onToken });
  const bitsPerNat = tokens / (Math.LN2 * bytes);
  if (flags.json) return printJson(jsonOf(gathered, where, result, bitsPerNat));
  print();
  for (const line of tableOf(gathered, result, bitsPerNat)) print(line);
}

const tokenTitle = `${["NLL", "entropy", "expected", "mutual"].map((title) => title.padStart(9)).join("")}  token (nats)`;

function tokenLine(token: MeasuredToken, text: string): string {
  const { probabilityNll, predictiveEntropy, expectedEntropy, mutualInformation } = token;
  const figures = [probabilityNll, predictiveEntropy, expectedEntropy, mutualInformation];
  return `${figures.map((nats) => nats.toFixed(3).padStart(9)).join("")}  ${text}`;
}

const averagingNames = { probability: "probabilities", logProbability: "log-probabilities" } as const satisfies Record<
  Averaging,
  string
>;

function tableOf(
  { names, single }: Gathered,
  { means, memberNlls, singleNll, changes }: EnsembleMeasurement,
  bitsPerNat: number,
): string[] {
  const rows: [string, number][] = [
    ...(single && singleNll !== undefined ? [[single, singleNll] as [string, number]] : []),
    ...names.map((name, m): [string, number] => [name, memberNlls[m]!]),
    [single ? "with one mask, on average" : "one member, on average", means.memberNll],
    ["averaged probabilities", means.probabilityNll],
    ["averaged log-probabilities", means.logProbabilityNll],
  ];
  const width = Math.max(...rows.map(([name]) => name.length)) + 2;
  const best = names[memberNlls.indexOf(Math.min(...memberNlls))] ?? "";
  const { predictiveEntropy, expectedEntropy, mutualInformation } = means;
  return [
    `${"".padEnd(width)}nats per token  perplexity  bits per byte`,
    ...rows.map(
      ([name, nats]) =>
        name.padEnd(width) +
        nats.toFixed(4).padStart(14) +
        Math.exp(nats).toFixed(2).padStart(12) +
        (nats * bitsPerNat).toFixed(4).padStart(15),
    ),
    "",
    "NLL after averaging, nats per token, 95 % interval",
    ...changes.map((change) => verdict(change, best)),
    "",
    `entropy ${predictiveEntropy.toFixed(4)} = ${expectedEntropy.toFixed(4)} expected + ${mutualInformation.toFixed(4)} mutual information, nats per token`,
  ];
}

/** Whether averaging helped, against what, by how much, and how well that is known: `0.0065 worse (0.0036–0.0095) than …`. */
export function verdict({ averaging, rival, change: { value, lower, upper } }: NllChange, best: string): string {
  const rivals = {
    single: "without dropout",
    bestMember: `${best}, the best member`,
    meanMember: "a member on average",
  };
  const [from, to] = [lower, upper].map(Math.abs).sort((a, b) => a - b) as [number, number];
  const isChance = lower <= 0 && upper >= 0;
  const [against, along] = value < 0 ? [-upper, -lower] : [lower, upper];
  const range = isChance
    ? `, or chance (${formatSigned(against)} to ${formatSigned(along)})`
    : ` (${from.toFixed(4)}–${to.toFixed(4)})`;
  const word = value < 0 ? "better" : "worse";
  return `  ${averagingNames[averaging].padEnd(18)} ${Math.abs(value).toFixed(4)} ${word}${range} than ${rivals[rival]}`;
}

function jsonOf(
  { runs, single }: Gathered,
  text: string,
  { count, means, memberNlls, singleNll, changes }: EnsembleMeasurement,
  bitsPerNat: number,
): object {
  return {
    type: single ? "mc-dropout" : "ensemble",
    runs: runs.map(({ folder, step }) => ({ run: folder, step })),
    text,
    tokens: count,
    members: memberNlls.length,
    ...means,
    ...(singleNll === undefined ? {} : { singleNll }),
    memberNlls,
    bitsPerByte: means.probabilityNll * bitsPerNat,
    changes: changes.map(({ averaging, rival, change }) => ({ averaging, rival, ...change })),
  };
}
