/** @file `npm start`: trains the recipe `moby` once, then writes with it; run again it goes on, or says how to. */

import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { loadRun } from "../../experiments/loadRun.ts";
import { isRun, readRunConfig, savedSteps } from "../../experiments/runFolder.ts";
import { resumeRun, type Session, startRun } from "../../experiments/session.ts";
import { type CommandModule, declareEngine, type EngineOptions, startEngine } from "../command.ts";
import { note, print } from "../output.ts";
import { resolveConfig } from "../runOptions.ts";
import { introduce, trainRun } from "../trainRun.ts";
import { writeText } from "../writeText.ts";

const recipe = "moby";
const folder = join("checkpoints", recipe);
/** Tokens written at the end. */
const writtenTokens = 120;

interface StartFlags extends EngineOptions {
  readonly fresh?: boolean;
}

function declare(command: Command): void {
  command.option("--fresh", `remove ${folder} and train anew`);
  declareEngine(command);
}

/** Whether the run of an earlier start has made all its steps. */
const isFinished = (): boolean => (savedSteps(folder)[0] ?? 0) >= readRunConfig(folder).training.steps;

async function trainFirst(engine: string): Promise<"finished" | "stopped"> {
  const options = { folder, engine, onWarning: note };
  const session: Session = isRun(folder)
    ? await resumeRun(options)
    : await startRun(resolveConfig(recipe, {}), options);
  try {
    introduce(session);
    return (await trainRun(session, false)).reason;
  } finally {
    session.close();
  }
}

async function run(options: Readonly<Record<string, unknown>>): Promise<void> {
  const flags = options as StartFlags;
  if (flags.fresh) rmSync(folder, { recursive: true, force: true });
  const engine = await startEngine(flags);
  print(`engine: ${engine.description}`);
  if (isRun(folder) && isFinished()) print(`${folder} is trained already.`);
  else if ((await trainFirst(engine.description)) === "stopped") return print("npm start goes on with it as well.");
  await showText();
}

async function showText(): Promise<void> {
  const run = await loadRun(folder, "latest", note);
  const { prompt, settings } = run.config.sample;
  print(`\nWritten by the model, from ${JSON.stringify(prompt)} on:\n`);
  await writeText(run, { prompt, settings, maxTokens: writtenTokens });
  run.dispose();
  const steps = run.config.training.steps;
  print(`\nNext:  npx softbox play                        watch it choose each token
       npx softbox generate --temperature 0.5  more text
       npx softbox train --resume ${folder} --steps ${2 * steps}
       npm start -- --fresh                    begin anew`);
}

export const start: CommandModule = { declare, run };
