/** @file Repairs of calibration beside the checkpoint they were fitted on: `calibration-step-000500.json` in the run's folder. */
import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { z } from "zod";
import type { RowRepair } from "../calibration/measure.ts";
import { classesOf, parseRepair, type Repair, rowRepair } from "../calibration/repairs/table.ts";
import { SandboxError } from "../engine/errors.ts";
import { describeIssues } from "../engine/issues.ts";
import type { NextToken } from "../lm/model.ts";
import type { LoadedRun } from "./loadRun.ts";
import { readRunFile, stepFolder, writeRunFile } from "./runFolder.ts";

const SavedRepair = z.strictObject({
  step: z.int().nonnegative(),
  fittedOn: z.string().describe("the text"),
  tokens: z.int().nonnegative(),
  repair: z.unknown(),
});

const fileOf = (step: number): string => `calibration-${basename(stepFolder("", step))}.json`;

/** Saves what was fitted; replaces what was there. @returns the file's path. */
export async function saveRepair(
  { folder, step }: Pick<LoadedRun, "folder" | "step">,
  repair: Repair,
  { fittedOn, tokens }: { readonly fittedOn: string; readonly tokens: number },
): Promise<string> {
  await writeRunFile(folder, fileOf(step), { step, fittedOn, tokens, repair });
  return join(folder, fileOf(step));
}

/** The repair of a loaded checkpoint. @throws {SandboxError} if there is none, or it is damaged or of another vocabulary. */
export function loadRepair({ folder, step, model }: Pick<LoadedRun, "folder" | "step" | "model">): Repair {
  const path = join(folder, fileOf(step));
  if (!existsSync(path))
    throw new SandboxError(
      `run ${folder}: step ${step} has no saved repair`,
      `Fit one: softbox calibrate ${folder} --step ${step} --save temperature`,
    );
  const raw = readRunFile(folder, fileOf(step));
  const saved = SavedRepair.safeParse(raw);
  if (!saved.success)
    throw new SandboxError(`${path}:\n${describeIssues(saved.error, raw)}`, "Fit it again: softbox calibrate --save.");
  const repair = parseRepair(path, saved.data.repair);
  const classes = classesOf(repair);
  if (classes !== undefined && classes !== model.config.vocabSize)
    throw new SandboxError(
      `${path}: it is for a vocabulary of ${classes}, the model has ${model.config.vocabSize}`,
      "Fit it again: softbox calibrate --save.",
    );
  return repair;
}

/** A reader of texts side by side whose distributions are repaired. */
export const repairedReader = (
  reader: { nextOfEach(texts: readonly (readonly number[])[]): Promise<NextToken[]> },
  repair: Repair,
) => ({
  nextOfEach: async (texts: readonly (readonly number[])[]) => (await reader.nextOfEach(texts)).map(repairNext(repair)),
});

/** What a repair makes of one next-token distribution. */
export function repairNext(repair: Repair): (next: NextToken) => NextToken {
  const apply: RowRepair = rowRepair(repair);
  return (next) => {
    const repaired = new Float64Array(next.logProbs.length);
    apply(next.logProbs, repaired);
    return { ...next, logProbs: Float32Array.from(repaired) };
  };
}
