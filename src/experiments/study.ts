/** @file A study: the folder of trials that belong together, and `study.json`, which tells in what order they were planned. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { makeFolder } from "../engine/files.ts";
import { isRun, readRunFile, writeRunFile } from "./runFolder.ts";
import type { Trial } from "./trials.ts";

const file = "study.json";

/** Makes the folder and notes the trials. @throws {SandboxError} if the folder cannot be written. */
export async function writeStudy(folder: string, trials: readonly Trial[], facts: object = {}): Promise<void> {
  makeFolder(folder);
  await writeRunFile(folder, file, { ...facts, trials: trials.map(({ name }) => name) });
}

/** Folders of a study's runs in the order in which they were planned; undefined where the folder is no study. */
export function studyRuns(folder: string): string[] | undefined {
  if (!existsSync(join(folder, file))) return undefined;
  const { trials } = readRunFile(folder, file) as { readonly trials?: unknown };
  if (!Array.isArray(trials)) return undefined;
  return trials.map((name) => join(folder, String(name))).filter(isRun);
}
