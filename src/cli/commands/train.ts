/** @file `softbox train`: a new run by recipe and flags, or a run gone on with. */
import { basename, join, resolve } from "node:path";
import type { Command } from "commander";
import { SandboxError } from "../../engine/errors.ts";
import { RunConfig } from "../../experiments/config.ts";
import { recipeNames } from "../../experiments/recipes.ts";
import { isRun, readRunConfig } from "../../experiments/runFolder.ts";
import { type CommandModule, declareEngine, type EngineOptions, wholeNumber } from "../command.ts";
import { describeKeys } from "../describeKeys.ts";
import type { TrainJob } from "../openSession.ts";
import { canDraw } from "../output.ts";
import { configFlags, givenFlags, resolveConfig, resolveConfigFrom, setOption } from "../runOptions.ts";
import { printRecord } from "../train/printRecord.ts";
import { recordOf } from "../train/record.ts";

interface TrainFlags extends EngineOptions {
  readonly recipe?: string;
  readonly run?: string;
  readonly resume?: string;
  readonly from?: string;
  readonly lossy?: boolean;
  readonly json?: boolean;
  readonly profile?: boolean;
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
    .option("--resume <folder>", "go on with this run, exactly as if it had not stopped; only --steps may change")
    .option(
      "--from <folder>",
      "a new run that starts from the model of this one (fine-tuning), in its configuration or that of --recipe; its form stays, but the context may be shorter",
    );
  for (const { flag, help } of configFlags) command.option(flag, help);
  setOption(command)
    .option("--lossy", "replace bytes that are not UTF-8 instead of refusing the text")
    .option("--ui", "a dashboard with curves, probes and samples; a finished run is replayed; plain lines in a pipe")
    .option("--profile", "afterwards a table of where the time went, and profile.json in the run's folder")
    .option("--json", "one JSON object an event");
  declareEngine(command);
  command.addHelpText("after", () => `\nKeys for --set:\n${describeKeys(RunConfig)}`);
}

/** The configuration that flags ask for; errors come before anything slow. */
function checkFlags(flags: TrainFlags): RunConfig {
  if (flags.resume === undefined) return freshConfig(flags);
  const refused = givenFlags({ ...flags }).filter((flag) => flag !== "--steps");
  if (flags.run !== undefined) refused.push("--run");
  if (flags.from !== undefined) refused.push("--from");
  if (refused.length)
    throw new SandboxError(
      `--resume: a run goes on as it was configured, got ${refused.join(", ")} as well`,
      "Leave them out, or start a new run with --run.",
    );
  if (flags.steps !== undefined) wholeNumber("--steps", 1)(flags.steps);
  return readRunConfig(flags.resume);
}

/** The configuration of a new run. */
const freshConfig = (flags: TrainFlags): RunConfig =>
  flags.from === undefined
    ? resolveConfig(flags.recipe ?? "moby", { ...flags })
    : resolveConfigFrom(flags.from, { ...flags });

/** Where a new run is kept if no folder is named. */
const defaultFolder = ({ from, recipe = "moby" }: TrainFlags): string =>
  join("checkpoints", from === undefined ? basename(recipe, ".json") : `${basename(resolve(from))}-tuned`);

/** The run that flags ask for, checked. */
function jobOf(flags: TrainFlags): TrainJob {
  const lossy = flags.lossy ?? false;
  if (flags.resume === undefined) {
    const from = flags.from === undefined ? {} : { from: flags.from };
    return { folder: flags.run ?? defaultFolder(flags), lossy, start: freshConfig(flags), ...from };
  }
  const steps = flags.steps === undefined ? {} : { steps: wholeNumber("--steps", 1)(flags.steps) };
  return { folder: flags.resume, lossy, resume: steps };
}

async function run(options: Readonly<Record<string, unknown>>): Promise<void> {
  const flags = options as TrainFlags;
  const { precision } = checkFlags(flags);
  const { engine, threads } = flags;
  const work = { job: jobOf(flags), precision, engine: { ...(engine && { engine }), ...(threads && { threads }) } };
  if (flags.ui && canDraw() && !flags.json && !flags.profile)
    return (await import("../train/screen.ts")).trainOnScreen(work);
  if (flags.ui && isRun(work.job.folder) && recordOf(work.job))
    return printRecord(work.job.folder, flags.json === true);
  const { trainPlainly } = await import("../trainPlainly.ts");
  await trainPlainly(work, { json: flags.json === true, profile: flags.profile === true });
}

export const train: CommandModule = { declare, run };
