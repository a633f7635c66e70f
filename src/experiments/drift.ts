/**
 * @file A run goes on as it was configured. Where somebody asks for something else, every difference is named; most can be had by
 * insisting, which the run remembers, some cannot: the parameters at hand would not fit.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { SandboxError } from "../engine/errors.ts";
import { replaceFile } from "../engine/files.ts";
import type { RunConfig } from "./config.ts";
import { type Change, changeLine, configChanges } from "./configDiff.ts";

/** What a run's parameters, moments and text depend on. */
const fixedKeys = /^(corpus|tokenizer|splits\..*|model\..*|training\.(optimizer\.kind|batches\..*))$/;
/** Steps may always grow. */
const freeKeys = /^(training\.steps|description)$/;

/**
 * What differs from a run's own configuration, besides its steps.
 *
 * @param override - whether the user insists.
 * @throws {SandboxError} listing what differs: without `override`, or where it cannot be had.
 */
export function expectNoDrift(folder: string, stored: RunConfig, wanted: RunConfig, override: boolean): Change[] {
  const changes = configChanges(stored, wanted).filter(({ path }) => !freeKeys.test(path));
  const list = (some: readonly Change[]): string => some.map((change) => `\n  ${changeLine(change)}`).join("");
  const impossible = changes.filter(({ path }) => fixedKeys.test(path));
  if (impossible.length > 0)
    throw new SandboxError(
      `run ${folder}: its parameters or text would not fit:${list(impossible)}`,
      `Start a new run with these: softbox train --like ${folder} --run <folder> and the same flags.`,
    );
  if (changes.length > 0 && !override)
    throw new SandboxError(
      `run ${folder}: it was configured otherwise:${list(changes)}`,
      "Leave these flags out; or add --override, and the run goes on so, which it then remembers.",
    );
  return changes;
}

const file = "overrides.jsonl";

/** Remembers that a run went on otherwise from a step on. */
export async function noteOverride(folder: string, step: number, changes: readonly Change[]): Promise<void> {
  const path = join(folder, file);
  const before = existsSync(path) ? readFileSync(path, "utf8") : "";
  await replaceFile(path, `${before}${JSON.stringify({ step, changes })}\n`);
}
