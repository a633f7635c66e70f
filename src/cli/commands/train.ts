/** @file `softbox train`: a new run by recipe and flags, or a run gone on with. */
import { basename, join } from "node:path";
import type { Command } from "commander";
import { SandboxError } from "../../engine/errors.ts";
import type { RunConfig } from "../../experiments/config.ts";
import { recipeNames } from "../../experiments/recipes.ts";
import { readRunConfig } from "../../experiments/runFolder.ts";
import { resumeRun, type Session, startRun } from "../../experiments/session.ts";
import { type CommandModule, declareEngine, type EngineOptions, startEngine, wholeNumber } from "../command.ts";
import { note, print } from "../output.ts";
import { profileRun } from "../profileRun.ts";
import { configFlags, describeKeys, givenFlags, resolveConfig } from "../runOptions.ts";
import { introduce, trainRun } from "../trainRun.ts";

interface TrainFlags extends EngineOptions {
  readonly recipe?: string;
  readonly run?: string;
  readonly resume?: string;
  readonly lossy?: boolean;
  readonly json?: boolean;
  readonly profile?: boolean;
  readonly steps?: string;
}

function declare(command: Command): void {
  command
    .option(
      "--recipe <name>",
      `where the configuration starts from: ${recipeNames().join(", ")}, or a .json file (default: moby)`,
    )
    .option("--run <folder>", "where the run is kept (default: checkpoints/<recipe>)")
    .option("--resume <folder>", "go on with this run, exactly as if it had not stopped; only --steps may change");
  for (const { flag, help } of configFlags) command.option(flag, help);
  command
    .option("--set <path=value>", "any other key, see below; may be repeated", (value, all: string[] = []) => [
      ...all,
      value,
    ])
    .option("--lossy", "replace bytes that are not UTF-8 instead of refusing the text")
    .option("--profile", "afterwards a table of where the time went, and profile.json in the run's folder")
    .option("--json", "one JSON object an event");
  declareEngine(command);
  command.addHelpText("after", () => `\nKeys for --set:\n${describeKeys()}`);
}

/** The configuration that flags ask for; errors come before anything slow. */
function checkFlags(flags: TrainFlags): RunConfig {
  if (flags.resume === undefined) return resolveConfig(flags.recipe ?? "moby", { ...flags });
  const refused = givenFlags({ ...flags }).filter((flag) => flag !== "--steps");
  if (flags.run !== undefined) refused.push("--run");
  if (refused.length)
    throw new SandboxError(
      `--resume: a run goes on as it was configured, got ${refused.join(", ")} as well`,
      "Leave them out, or start a new run with --run.",
    );
  if (flags.steps !== undefined) wholeNumber("--steps", 1)(flags.steps);
  return readRunConfig(flags.resume);
}

async function openSession(flags: TrainFlags, engine: string): Promise<Session> {
  const common = { engine, lossy: flags.lossy ?? false, onWarning: note };
  if (flags.resume === undefined) {
    const recipe = flags.recipe ?? "moby";
    const folder = flags.run ?? join("checkpoints", basename(recipe, ".json"));
    return startRun(resolveConfig(recipe, { ...flags }), { ...common, folder });
  }
  const steps = flags.steps === undefined ? {} : { steps: wholeNumber("--steps", 1)(flags.steps) };
  return resumeRun({ ...common, ...steps, folder: flags.resume });
}

async function run(options: Readonly<Record<string, unknown>>): Promise<void> {
  const flags = options as TrainFlags;
  const json = flags.json === true;
  const { precision } = checkFlags(flags);
  const engine = await startEngine(flags, precision);
  if (!json) print(`engine: ${engine.description}`);
  const session = await openSession(flags, engine.description);
  try {
    if (session.progress.step >= session.config.training.steps)
      return note(`the run is at step ${session.progress.step} already; train further with --steps <more>`);
    if (!json) introduce(session);
    await (flags.profile ? profileRun(session, json) : trainRun(session, json));
  } finally {
    session.close();
  }
}

export const train: CommandModule = { declare, run };
