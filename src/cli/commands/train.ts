/** @file `softbox train`: a new run by recipe and flags, or a run gone on with. */
import { existsSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import type { Command } from "commander";
import { SandboxError } from "../../engine/errors.ts";
import { RunConfig } from "../../experiments/config.ts";
import { expectNoDrift } from "../../experiments/drift.ts";
import { recipeNames } from "../../experiments/recipes.ts";
import { isRun, readRunConfig } from "../../experiments/runFolder.ts";
import { type CommandModule, declareEngine, type EngineOptions, wholeNumber } from "../command.ts";
import { describeKeys } from "../describeKeys.ts";
import { addHelp } from "../helpText.ts";
import type { TrainJob } from "../openSession.ts";
import { canDraw } from "../output.ts";
import {
  configFlags,
  defaultsOfRecipe,
  resolveConfig,
  resolveConfigFrom,
  setOption,
  withFlags,
} from "../runOptions.ts";
import { printRecord } from "../train/printRecord.ts";
import { recordOf } from "../train/record.ts";

interface TrainFlags extends EngineOptions {
  readonly recipe?: string;
  readonly run?: string;
  readonly resume?: string;
  readonly from?: string;
  readonly like?: string;
  readonly override?: boolean;
  readonly lossy?: boolean;
  readonly json?: boolean;
  readonly profile?: boolean;
  readonly tensorboard?: boolean;
  readonly ui?: boolean;
  readonly steps?: string;
}

function declare(command: Command): void {
  command
    .option(
      "--recipe <name>",
      `where the configuration starts from: ${recipeNames().join(", ")}, or a .json file (default: moby)`,
    )
    .option(
      "--run <folder>",
      "where the run is kept (default: checkpoints/<recipe>, or checkpoints/<name>-tuned with --from)",
    )
    .option("--like <folder>", "start from this run's configuration instead of a recipe; flags change it")
    .option(
      "--from <folder>",
      "a new run that starts from the model of this one (fine-tuning), in its configuration or that of --recipe; its form stays, but the context may be shorter",
    )
    .option("--resume <folder>", "go on with this run, exactly as if it had not stopped; only --steps may change")
    .option("--override", "with --resume: go on although flags differ from the run's configuration");
  for (const { flag, help } of configFlags) command.option(flag, help);
  setOption(command)
    .option("--lossy", "replace bytes that are not UTF-8 instead of refusing the text")
    .option(
      "--tensorboard",
      "also write event files into the run's folder, from here on: tensorboard --logdir checkpoints shows them",
    )
    .option("--ui", "a dashboard with curves, probes and samples; a finished run is replayed; plain lines in a pipe")
    .option("--profile", "afterwards a table of where the time went, and profile.json in the run's folder")
    .option("--json", "one JSON object an event");
  declareEngine(command);
  addHelp(command, () => [defaultsOfRecipe, { title: "Keys for --set:", items: describeKeys(RunConfig) }]);
}

/** Flags that say where a configuration comes from: one at most, but --from may take a recipe's. */
function expectOneSource({ recipe, like, from, resume, run, override }: TrainFlags): void {
  const named = {
    "--recipe": from === undefined ? recipe : undefined,
    "--like": like,
    "--from": from,
    "--resume": resume,
  };
  const sources = Object.entries(named)
    .filter(([, value]) => value !== undefined)
    .map(([flag]) => flag);
  if (resume !== undefined && run !== undefined) sources.push("--run");
  if (sources.length > 1)
    throw new SandboxError(
      `train: ${sources.join(" and ")} do not go together`,
      "--resume goes on with a run; --like begins another from its configuration, --from from its model, --recipe from a recipe.",
    );
  if (override && resume === undefined)
    throw new SandboxError("--override: is for a run that goes on, and no --resume is named", "Leave it out.");
}

/** The run that flags ask for, checked before anything slow. */
function jobOf(flags: TrainFlags): { readonly job: TrainJob; readonly config: RunConfig } {
  expectOneSource(flags);
  const common = { lossy: flags.lossy ?? false, ...(flags.tensorboard && { tensorboard: true }) };
  if (flags.resume !== undefined) {
    const [folder, stored] = [flags.resume, readRunConfig(flags.resume)];
    if (flags.steps !== undefined) wholeNumber("--steps", 1)(flags.steps);
    const config = withFlags(`configuration of ${folder} and flags`, stored, { ...flags });
    const override = flags.override ?? false;
    expectNoDrift(folder, stored, config, override);
    const { steps } = config.training;
    return {
      config,
      job: { folder, ...common, resume: { config, override, ...(steps === stored.training.steps ? {} : { steps }) } },
    };
  }
  const start = freshConfig(flags);
  const from = flags.from === undefined ? {} : { from: flags.from };
  return { config: start, job: { folder: flags.run ?? defaultFolder(flags), ...common, start, ...from } };
}

/** The configuration of a new run. */
function freshConfig(flags: TrainFlags): RunConfig {
  const { from, like, recipe = "moby" } = flags;
  if (from !== undefined) return resolveConfigFrom(from, { ...flags });
  if (like === undefined) return resolveConfig(recipe, { ...flags });
  return withFlags(`configuration of ${like} and flags`, readRunConfig(like), { ...flags });
}

/** Where a new run is kept if no folder is named. */
function defaultFolder({ from, like, recipe = "moby" }: TrainFlags): string {
  if (from !== undefined) return join("checkpoints", `${basename(resolve(from))}-tuned`);
  return like === undefined ? join("checkpoints", basename(recipe, ".json")) : freeName(like);
}

/** Beside a run: its name with the first number that is free. */
function freeName(run: string): string {
  const stem = run.replace(/\/+$/, "").replace(/-\d+$/, "");
  for (let number = 2; ; number++) if (!existsSync(`${stem}-${number}`)) return `${stem}-${number}`;
}

async function run(options: Readonly<Record<string, unknown>>): Promise<void> {
  const flags = options as TrainFlags;
  const { job, config } = jobOf(flags);
  const { engine, threads } = flags;
  const work = { job, precision: config.precision, engine: { ...(engine && { engine }), ...(threads && { threads }) } };
  if (flags.ui && canDraw() && !flags.json && !flags.profile)
    return (await import("../train/screen.ts")).trainOnScreen(work);
  if (flags.ui && isRun(work.job.folder) && recordOf(work.job))
    return printRecord(work.job.folder, flags.json === true);
  const { trainPlainly } = await import("../trainPlainly.ts");
  await trainPlainly(work, { json: flags.json === true, profile: flags.profile === true });
}

export const train: CommandModule = { declare, run };
