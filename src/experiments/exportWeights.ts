/** @file A run's folder with one checkpoint and no optimiser's state: what it takes to use a model, as small as may be. */
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { replaceFile, syncFolder } from "../engine/files.ts";
import { partialMark } from "../lm/checkpoint/folder.ts";
import type { NumberType } from "../lm/checkpoint/numberTypes.ts";
import { tokenizerFromJson } from "../text/tokenizer.ts";
import { openModel, saveWeights } from "./checkpoints.ts";
import { readLines } from "./jsonLines.ts";
import { readRunConfig, readRunFile, stepsToTry, writeRunFile } from "./runFolder.ts";
import { lineFiles } from "./session.ts";

export interface WeightsOptions {
  /** The folder to be; nothing is there yet. */
  readonly out: string;
  /** How numbers are stored. */
  readonly type: NumberType;
  /** `latest`, `best` or a step's number. */
  readonly step: string;
  readonly onWarning: (line: string) => void;
}

/**
 * Writes the folder, whole or not at all. Every command that reads runs takes it; training starts from it (`train --from`), but
 * does not go on with it. Of `environment.json` goes what tells more than the model needs: differences to a commit.
 *
 * @returns the step that was written.
 * @throws {SandboxError} if there is no such run or step.
 */
export async function exportWeights(run: string, { out, type, step, onWarning }: WeightsOptions): Promise<number> {
  const tokenizer = tokenizerFromJson(readRunFile(run, "tokenizer.json"));
  const config = readRunConfig(run);
  const identity = { tokenizer: tokenizer.hash, model: config.model };
  const model = await openModel(run, stepsToTry(run, step), identity, onWarning);
  const aside = `${out}${partialMark}${process.pid}`;
  try {
    await mkdir(aside, { recursive: true });
    await saveWeights(aside, model, identity, type);
    for (const file of lineFiles) await copyLines(join(run, file), join(aside, file), model.step);
    await writeRunFile(aside, "tokenizer.json", tokenizer.toJSON());
    await writeRunFile(aside, "environment.json", {
      ...shortEnvironment(run),
      weightsOnly: { step: model.step, type },
    });
    await writeRunFile(aside, "config.json", config);
    await syncFolder(aside);
    await rename(aside, out);
  } finally {
    await rm(aside, { recursive: true, force: true });
    await model.close();
  }
  return model.step;
}

/** Lines up to the step. */
const copyLines = (from: string, to: string, step: number): Promise<void> => {
  const kept = readLines(from).filter((line) => line.step <= step);
  return replaceFile(to, kept.map((line) => `${JSON.stringify(line)}\n`).join(""));
};

function shortEnvironment(run: string): object {
  const { git, ...rest } = readRunFile(run, "environment.json") as { git?: { commit: string; clean: boolean } | null };
  return { ...rest, git: git ? { commit: git.commit, clean: git.clean } : null };
}
