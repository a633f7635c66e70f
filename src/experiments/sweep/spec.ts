/** @file A sweep in a file: what is varied, how often, how. Flags say the same; a sweep's folder remembers it in `study.json`. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { SandboxError } from "../../engine/errors.ts";
import { describeIssues } from "../../engine/issues.ts";
import { changeLine, configChanges } from "../configDiff.ts";

const whole = (description: string, least: number) => z.int().min(least).max(100_000).describe(description);

export const SweepSpec = z.strictObject({
  recipe: z.string().min(1).default("moby").describe("where the configuration starts from"),
  set: z.array(z.string()).default([]).describe("path=value, for all trials"),
  sweep: z.array(z.string()).min(1).describe("key=values: lists a,b,c or ranges from..to, :log, :points"),
  seeds: whole("runs of each point", 1).default(1),
  random: whole("points drawn at random in place of the whole grid", 1).optional(),
  sweepSeed: whole("fixes which points are drawn", 0).default(1),
  halving: whole("η of successive halving: one in so many goes on", 2).optional(),
});
export type SweepSpec = z.infer<typeof SweepSpec>;

/** @throws {SandboxError} naming every wrong key at once. */
export function parseSweep(where: string, raw: unknown): SweepSpec {
  const result = SweepSpec.safeParse(raw);
  if (result.success) return result.data;
  throw new SandboxError(
    `${where}:\n${describeIssues(result.error, raw, SweepSpec)}`,
    "softbox sweep --help shows a file.",
  );
}

/** The raw content of a sweep's file. @throws {SandboxError} if there is none, or it is not JSON. */
export function readSweepFile(path: string): object {
  if (!existsSync(path)) throw new SandboxError(`sweep: there is no file ${path}`, "softbox sweep --help shows one.");
  try {
    return JSON.parse(readFileSync(path, "utf8")) as object;
  } catch (error) {
    throw new SandboxError(`sweep ${path}: cannot be read as JSON (${(error as Error).message})`, "Correct the file.");
  }
}

/**
 * A folder goes on with its own sweep only; more seeds are no other sweep.
 *
 * @throws {SandboxError} listing what differs.
 */
export function expectSameSweep(study: string, spec: SweepSpec): void {
  const path = join(study, "study.json");
  if (!existsSync(path)) return;
  const { spec: before = {} } = JSON.parse(readFileSync(path, "utf8")) as { readonly spec?: object };
  const changes = configChanges(before, spec).filter((change) => change.path !== "seeds");
  if (changes.length > 0)
    throw new SandboxError(
      `sweep ${study}: it was planned otherwise:\n${changes.map((change) => `  ${changeLine(change)}`).join("\n")}`,
      "Choose another folder with --out, or remove the old one: softbox runs rm.",
    );
}
