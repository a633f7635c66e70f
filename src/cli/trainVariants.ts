/** @file Trains the heads of a comparison, matched as asked, each seed in a run of its own. Loads tfjs for nothing: processes train. */
import { cpus } from "node:os";
import { basename, join } from "node:path";
import { SandboxError } from "../engine/errors.ts";
import type { RunConfig } from "../experiments/config.ts";
import { readLines } from "../experiments/jsonLines.ts";
import { createLocalWorkshop } from "../experiments/localWorkshop.ts";
import { writeStudy } from "../experiments/study.ts";
import { expectSameTrial, type Trial } from "../experiments/trials.ts";
import { type HeadVariant, headVariants, speedOf, speedTrials, stretched, trialsOf } from "../experiments/variants.ts";
import type { HeadConfig } from "../lm/heads/config.ts";
import { headName, parseHead } from "../lm/heads/shortForm.ts";
import { loadCorpus } from "../text/corpus.ts";
import { prepareDataset } from "../text/dataset.ts";
import type { EngineOptions } from "./command.ts";
import { formatCount, note } from "./output.ts";
import { resolveConfig } from "./runOptions.ts";
import { trainTrials } from "./trialProgress.ts";

export interface VariantFlags extends EngineOptions {
  readonly recipe?: string;
  readonly seeds?: number;
  readonly match?: string;
  readonly out?: string;
  readonly json?: boolean;
}

/** Seeds of each head where nobody says: the fewest that tell a spread worth the name. */
const usualSeeds = 3;
const matches = ["parameters", "time"] as const;
type Match = (typeof matches)[number];

/**
 * Trains what is not trained yet.
 *
 * @param options - flags of the configuration.
 * @returns the runs' folders; undefined if the user stopped it.
 * @throws {SandboxError} for wrong flags, or if a run could not be trained.
 */
export async function trainVariants(
  list: string,
  flags: VariantFlags,
  options: Readonly<Record<string, unknown>>,
): Promise<string[] | undefined> {
  const heads = headList(list);
  const match = matchOf(flags.match);
  const recipe = flags.recipe ?? "moby";
  const base = resolveConfig(recipe, { ...options, head: undefined });
  const study = flags.out ?? join("checkpoints", `compare-${basename(recipe, ".json")}`);
  const seeds = Array.from({ length: flags.seeds ?? usualSeeds }, (_, i) => base.seed + i);
  const matched = headVariants(base, heads, await vocabularyOf(base), match.has("parameters"));
  tellPlan(base, matched, study);
  const variants = match.has("time") ? await matchTime(study, matched, flags) : matched;
  if (variants === undefined) return undefined;
  const trials = trialsOf(study, variants, seeds);
  for (const trial of trials) expectSameTrial(trial); // before hours of training
  await writeStudy(study, trials, { kind: "compare", match: [...match] });
  return (await train(study, trials, flags)) ? trials.map(({ folder }) => folder) : undefined;
}

/** Cutoffs of an adaptive softmax hold commas too: a head begins with a letter. */
function headList(list: string): HeadConfig[] {
  const heads = list.split(/,(?=\s*[a-z])/).map((text) => parseHead(text.trim()));
  const names = heads.map(headName);
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice) throw new SandboxError(`--head: ${twice} is named twice`, "Name each head once.");
  return heads;
}

function matchOf(text = "parameters"): ReadonlySet<Match> {
  const words = text.split(",").map((word) => word.trim());
  const wrong = words.find((word) => !matches.some((match) => match === word) && word !== "none");
  if (wrong !== undefined || (words.includes("none") && words.length > 1))
    throw new SandboxError(
      `--match: expected parameters, time, parameters,time or none, got ${JSON.stringify(text)}`,
      "The default is parameters.",
    );
  return new Set(words.filter((word) => word !== "none") as Match[]);
}

async function vocabularyOf({ corpus, tokenizer, splits, model }: RunConfig): Promise<number> {
  const dataset = await prepareDataset({
    corpus: await loadCorpus(corpus, { lossy: false }),
    tokenizer,
    shares: splits,
    contextLength: model.contextLength,
  });
  return dataset.tokenizer.vocabSize;
}

function tellPlan({ training }: RunConfig, variants: readonly HeadVariant[], study: string): void {
  note(`runs are kept in ${study}`);
  for (const { head, parameters, how } of variants)
    note(`  ${headName(head)}: ${formatCount(parameters)} parameters${how ? ` (${how})` : ""}`);
  const { steps, schedule } = training;
  if (schedule.kind !== "constant" && schedule.decaySteps !== steps)
    note(
      `note: the learning rate decays until step ${schedule.decaySteps}, these runs end at ${steps}; --decay-steps ${steps} would let it end with them`,
    );
}

/** Times a few steps of each variant, then gives each as many as fit into the first one's time. */
async function matchTime(
  study: string,
  variants: readonly HeadVariant[],
  flags: VariantFlags,
): Promise<HeadVariant[] | undefined> {
  const trials = speedTrials(study, variants);
  for (const trial of trials) expectSameTrial(trial);
  if (!(await train(join(study, "speed"), trials, flags))) return undefined;
  const speeds = trials.map(({ folder }) =>
    speedOf(
      readLines<{ step: number; milliseconds: number }>(join(folder, "timings.jsonl")).map((t) => t.milliseconds),
    ),
  );
  return variants.map((variant, i) => {
    const made = stretched(variant, speeds[0]! / speeds[i]!);
    note(
      `  ${headName(variant.head)}: ${speeds[i]!.toFixed(1)} ms a step, so ${formatCount(made.config.training.steps)} steps`,
    );
    return made;
  });
}

/** Whether all were trained; one at a time, so that none is slowed by another. */
async function train(study: string, trials: readonly Trial[], flags: VariantFlags): Promise<boolean> {
  const workshop = createLocalWorkshop({ study, parallel: 1, flags: engineFlags(flags) });
  const jobs = trials.map((trial) => ({ trial, steps: trial.config.training.steps }));
  const { failed, stopped } = await trainTrials(workshop, jobs, flags.json === true);
  if (stopped) {
    note("stopped; the same command goes on");
    process.exitCode = 130;
    return false;
  }
  if (failed.size === 0) return true;
  const [[name, reason]] = [...failed] as [[string, string]];
  throw new SandboxError(
    `compare: ${failed.size} of ${trials.length} runs could not be trained, the first was ${name}:\n${reason}`,
    "The others are kept; the same command goes on with what is missing.",
  );
}

/** The engine's flags as a process takes them. */
export const engineFlags = ({ engine, threads }: EngineOptions): string[] => [
  ...(engine === undefined ? [] : ["--engine", engine]),
  ...(threads === undefined ? [] : ["--threads", String(threads)]),
];

/** The flags with threads for each of several processes at once: an equal share of the cores where nobody says. */
export const sharedThreads = (flags: EngineOptions, parallel: number): EngineOptions =>
  flags.threads !== undefined || parallel === 1
    ? flags
    : { ...flags, threads: Math.max(1, Math.floor(cpus().length / parallel)) };
