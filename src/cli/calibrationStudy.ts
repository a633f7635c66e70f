/** @file `softbox calibrate --study`: trains the twins, or goes on with them, and prints what each remedy is worth. */
import { join } from "node:path";
import type { Command } from "commander";
import type { Estimate } from "../calibration/bootstrap.ts";
import type { MetricName } from "../calibration/measure.ts";
import { SandboxError } from "../engine/errors.ts";
import {
  openTwin,
  remedies,
  type StudyRow,
  studyRows,
  studyTwins,
  type Twin,
} from "../experiments/calibrationStudy.ts";
import { type LoadedRun, loadRun } from "../experiments/loadRun.ts";
import { recipeNames } from "../experiments/recipes.ts";
import { type EngineOptions, startEngine } from "./command.ts";
import { formatCount, note, print, printJson } from "./output.ts";
import type { ProgressPrinter } from "./progress.ts";
import { resolveConfig } from "./runOptions.ts";
import { textOfRun } from "./textOfRun.ts";
import { introduce, trainRun } from "./trainRun.ts";

export interface StudyFlags extends EngineOptions {
  readonly study?: boolean;
  readonly recipe?: string;
  readonly steps?: string;
  readonly run?: string;
  readonly maxTokens: number;
  readonly bins: number;
  readonly draws: number;
  readonly seed: number;
  readonly lossy?: boolean;
  readonly json?: boolean;
}

const defaults = { recipe: "overconfident", folder: join("checkpoints", "calibration-study") };

const silent: ProgressPrinter = { show: () => {} };

export function declareStudy(command: Command): void {
  command
    .option(
      "--study",
      `train small twins, each with another remedy, and compare them: ${remedies.members} plain ones and their ensemble, label smoothing, dropout, temperature`,
    )
    .option("--recipe <name>", `of --study: ${recipeNames().join(", ")}, or a .json file (default: ${defaults.recipe})`)
    .option("--steps <n>", "of --study: steps of each twin (default: the recipe's)")
    .option("--run <folder>", `of --study: where its runs are kept and gone on with (default: ${defaults.folder})`);
}

/** @param others - flags that were given and mean nothing to a study. @throws {SandboxError} naming the first of them. */
export function expectStudyFlags(flags: StudyFlags, others: readonly string[]): void {
  if (flags.study && others[0] !== undefined)
    throw new SandboxError(`--study: trains and judges runs of its own, got ${others[0]} as well`, "Leave it out.");
  const alone = (["recipe", "steps", "run"] as const).find((key) => flags[key] !== undefined);
  if (!flags.study && alone !== undefined)
    throw new SandboxError(
      `--${alone}: is for --study`,
      "Name a run to calibrate without a flag: softbox calibrate <run>.",
    );
}

export async function calibrationStudy(flags: StudyFlags): Promise<void> {
  const recipe = flags.recipe ?? defaults.recipe;
  const base = resolveConfig(recipe, { steps: flags.steps });
  const twins = studyTwins(base);
  const folder = flags.run ?? defaults.folder;
  const engine = await startEngine(flags, base.precision);
  if (!flags.json) print(`engine: ${engine.description}`);
  for (const [i, twin] of twins.entries()) {
    if (!flags.json) print(`\n${twin.name}, ${i + 1} of ${twins.length}`);
    if (await isStopped(twin, join(folder, twin.name), engine.description, flags)) {
      note("The study goes on from here when the same command is given again.");
      return;
    }
  }
  await judge(twins, folder, flags);
}

/** Trains a twin to its end; true where the user stopped it before. */
async function isStopped({ config }: Twin, folder: string, engine: string, flags: StudyFlags): Promise<boolean> {
  const session = await openTwin(config, { folder, engine, lossy: flags.lossy ?? false, onWarning: note });
  try {
    if (session.progress.step >= config.training.steps) {
      if (!flags.json) print(`trained to step ${session.progress.step} already, in ${folder}`);
      return false;
    }
    if (!flags.json) introduce(session);
    const { reason } = await (flags.json ? trainRun(session, true, silent) : trainRun(session, false));
    return reason === "stopped";
  } finally {
    session.close();
  }
}

async function judge(twins: readonly Twin[], folder: string, flags: StudyFlags): Promise<void> {
  const loaded = new Map<string, LoadedRun>();
  try {
    for (const { name } of twins) loaded.set(name, await loadRun(join(folder, name), "latest", note));
    const [first] = [...loaded.values()] as [LoadedRun];
    const text = (split: string) => textOfRun(first, { split, lossy: flags.lossy ?? false }, "calibrate");
    const [fit, judged] = [await text("calibration"), await text("validation")];
    const { maxTokens, bins, draws, seed } = flags;
    const rows: StudyRow[] = [];
    if (!flags.json) print(`\nmeasuring on ${judged.where}`);
    const options = { twins: loaded, fit: fit.ids, judge: judged.ids, maxTokens, measuring: { bins, draws, seed } };
    for await (const row of studyRows(options)) {
      rows.push(row);
      if (flags.json) printJson({ ...row, step: first.step, text: judged.where });
    }
    if (flags.json) return;
    print(`${formatCount(rows[0]!.measurement.count)} tokens; temperatures fitted on as many of ${fit.where}\n`);
    for (const line of studyTable(rows)) print(line);
  } finally {
    for (const run of loaded.values()) run.dispose();
  }
}

const nllOf = ({ measurement }: StudyRow): number => measurement.metrics.nll.value;

/** The lines of the table, at most 80 columns wide, and what they say. */
function studyTable(rows: readonly StudyRow[]): string[] {
  const isSeed = ({ name }: StudyRow): boolean => name.startsWith("plain");
  const shown = rows.filter((row) => !isSeed(row) || row === rows[0]);
  const nlls = rows.filter(isSeed).map(nllOf);
  const best = shown.reduce((lowest, row) => (nllOf(row) < nllOf(lowest) ? row : lowest));
  const title = [
    "NLL".padStart(8),
    "perplexity".padStart(12),
    "ECE (95 % interval)".padStart(20),
    "Full-ECE".padStart(20),
  ];
  const [low, high] = [Math.min(...nlls), Math.max(...nlls)];
  return [
    `${"".padEnd(20)}${title.join("")}`,
    ...shown.map(line),
    "",
    best === rows[0]
      ? "no remedy lowers NLL"
      : `lowest NLL: ${nameOf(best, shown)}, ${(nllOf(rows[0]!) - nllOf(best)).toFixed(4)} nats per token below plain`,
    `plain under ${nlls.length} seeds: NLL ${low.toFixed(4)} to ${high.toFixed(4)}; smaller differences say nothing`,
  ];
}

/** `…, temperature` goes on from the line above it. */
const nameOf = (row: StudyRow, rows: readonly StudyRow[]): string =>
  row.name.startsWith("…") ? row.name.replace("…", rows[rows.indexOf(row) - 1]!.name) : row.name;

function line({ name, temperature, measurement: { metrics } }: StudyRow): string {
  const title = temperature === undefined ? name : `${name} ${temperature.toFixed(2)}`;
  const interval = (metric: MetricName): string => withInterval(metrics[metric]).padStart(20);
  const nats = metrics.nll.value;
  return `${title.padEnd(20)}${nats.toFixed(4).padStart(8)}${Math.exp(nats).toFixed(2).padStart(12)}${interval("ece")}${interval("fullEce")}`;
}

/** `0.031 (0.025–0.037)`. */
const withInterval = ({ value, lower, upper }: Estimate): string => {
  const short = (share: number): string => share.toFixed(3);
  return `${short(value)} (${short(lower)}–${short(upper)})`;
};
