/** @file Trials: runs that belong together, each fully determined by its configuration, in folders beside each other. */
import { join } from "node:path";
import { SandboxError } from "../engine/errors.ts";
import { makeFolder } from "../engine/files.ts";
import type { RunConfig } from "./config.ts";
import { changeLine, configChanges } from "./configDiff.ts";
import { isRun, readRunConfig, savedSteps, writeRunFile } from "./runFolder.ts";

/** One run to be made. */
export interface Trial {
  /** A file's name. */
  readonly name: string;
  /** Where its run is kept. */
  readonly folder: string;
  readonly config: RunConfig;
}

/** A trial to be trained up to a step, which may lie before its last. */
export interface TrialJob {
  readonly trial: Trial;
  readonly steps: number;
}

/** A word that can be a file's name everywhere: letters, digits, `.`, `_`, `-`. */
export const fileName = (text: string): string => text.replace(/[^\w.-]+/g, "-").replace(/^[-.]+|-+$/g, "") || "trial";

/** Whether a job's work is done: a checkpoint at its step or beyond. */
export const isTrained = ({ trial, steps }: TrialJob): boolean =>
  isRun(trial.folder) && (savedSteps(trial.folder)[0] ?? 0) >= steps;

/**
 * Makes sure that what stands in a trial's folder is this trial.
 *
 * @throws {SandboxError} listing every key that differs.
 */
export function expectSameTrial({ folder, config }: Trial): void {
  if (!isRun(folder)) return;
  const changes = configChanges(readRunConfig(folder), config).filter(({ path }) => path !== "training.steps");
  if (changes.length === 0) return;
  throw new SandboxError(
    `run ${folder}: it was made with another configuration:\n${changes.map((change) => `  ${changeLine(change)}`).join("\n")}`,
    "Choose another folder with --out, or remove the old one.",
  );
}

/** Writes a trial's configuration as a recipe beside the runs, and returns its path: `softbox train --recipe` repeats it. */
export async function writeTrialRecipe(study: string, { name, config }: Trial): Promise<string> {
  const folder = join(study, "recipes");
  makeFolder(folder);
  await writeRunFile(folder, `${name}.json`, config);
  return join(folder, `${name}.json`);
}
