/**
 * @file What is where in a run's folder:
 *
 *     config.json  tokenizer.json  environment.json      what was asked for, on what
 *     metrics.jsonl  timings.jsonl                        a line a step; timings apart, as they differ from run to run
 *     probes.jsonl  samples.jsonl                         a line an evaluation and prompt
 *     events.out.tfevents.*.softbox                       the same for TensorBoard, where it was asked for
 *     step-000500/                                        a checkpoint (lm/checkpoint/folder.ts)
 *     latest  best                                        the names of two of them
 *     notes.json  overrides.jsonl                         what people say of it; where it went on otherwise than configured
 */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { SandboxError } from "../engine/errors.ts";
import { explainFailure, replaceFile } from "../engine/files.ts";
import { nearestName } from "../engine/nearest.ts";
import { partialMark } from "../lm/checkpoint/folder.ts";
import { parseRunConfig, type RunConfig } from "./config.ts";

const stepPattern = /^step-(\d{6,})$/;

/** The folder of one step. */
export const stepFolder = (run: string, step: number): string => join(run, `step-${String(step).padStart(6, "0")}`);

/** Steps that have a checkpoint, the newest first. */
export function savedSteps(run: string): number[] {
  const names = existsSync(run) ? readdirSync(run) : [];
  return names
    .map((name) => stepPattern.exec(name)?.[1])
    .filter((digits) => digits !== undefined)
    .map(Number)
    .sort((a, b) => b - a);
}

export const isRun = (folder: string): boolean => existsSync(join(folder, "config.json"));

/** The beginning of a hint: the run beside that place or under `checkpoints/` whose name is much like its own. */
function nearestRun(run: string): string {
  const folders = [dirname(run), "checkpoints"].filter(
    (folder) => existsSync(folder) && statSync(folder).isDirectory(),
  );
  const around = folders.flatMap((folder) => readdirSync(folder).map((name) => join(folder, name))).filter(isRun);
  const name = nearestName(
    basename(run),
    around.map((path) => basename(path)),
  );
  const nearest = around.find((path) => basename(path) === name);
  return nearest === undefined ? "" : `Did you mean ${nearest}? `;
}

/** Reads a JSON file of a run. @throws {SandboxError} if it is missing or damaged. */
export function readRunFile(run: string, name: string): unknown {
  const path = join(run, name);
  if (!existsSync(run))
    throw new SandboxError(
      `run ${run}: there is no such folder`,
      `${nearestRun(run)}softbox train makes one; softbox runs lists what is in checkpoints.`,
    );
  if (!existsSync(path))
    throw new SandboxError(`run ${run}: it has no ${name}`, "Name the folder of a run, e.g. checkpoints/moby.");
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new SandboxError(`run ${run}: ${name} is damaged (${(error as Error).message})`, "Train the run again.");
  }
}

export const writeRunFile = (run: string, name: string, content: unknown): Promise<void> =>
  replaceFile(join(run, name), `${JSON.stringify(content, null, 2)}\n`);

export const readRunConfig = (run: string): RunConfig =>
  parseRunConfig(join(run, "config.json"), readRunFile(run, "config.json"));

/** The step that a pointer names. */
function pointedStep(run: string, pointer: "latest" | "best"): number | undefined {
  const path = join(run, pointer);
  const digits = existsSync(path) ? stepPattern.exec(readFileSync(path, "utf8").trim())?.[1] : undefined;
  return digits === undefined ? undefined : Number(digits);
}

/** Points at a step that is safely saved. */
export const pointAt = (run: string, pointer: "latest" | "best", step: number): Promise<void> =>
  replaceFile(join(run, pointer), `${stepFolder("", step)}\n`);

/**
 * Which steps to try, in order: the one asked for; or all, the newest first.
 *
 * @param wanted - `latest`, `best` or a step's number.
 * @throws {SandboxError} if there is no such checkpoint.
 */
export function stepsToTry(run: string, wanted: string): number[] {
  const saved = savedSteps(run);
  if (saved.length === 0)
    throw new SandboxError(`run ${run}: it has no checkpoint yet`, `Train it on: softbox train --resume ${run}`);
  if (wanted === "latest") return saved;
  const step = wanted === "best" ? pointedStep(run, "best") : Number(wanted);
  if (step !== undefined && saved.includes(step)) return [step];
  throw new SandboxError(
    `run ${run}: there is no checkpoint ${JSON.stringify(wanted)}`,
    `Saved steps: ${saved.join(", ")}.`,
  );
}

/**
 * Removes unfinished folders and all checkpoints but the newest `keep` and the best.
 *
 * @throws {SandboxError} where that may not be, as when the file system has turned read-only.
 */
export async function pruneCheckpoints(run: string, keep: number): Promise<void> {
  const best = pointedStep(run, "best");
  const old = savedSteps(run)
    .slice(keep)
    .filter((step) => step !== best);
  const unfinished = readdirSync(run).filter((name) => name.includes(partialMark));
  const doomed = unfinished.map((name) => join(run, name));
  for (const step of old) {
    const aside = `${stepFolder(run, step)}${partialMark}old`; // so that a crash here leaves no half of a step
    await rename(stepFolder(run, step), aside).catch(refuse(run));
    doomed.push(aside);
  }
  for (const path of doomed) await rm(path, { recursive: true, force: true }).catch(refuse(run));
}

const refuse = (run: string) => (error: unknown) => {
  throw explainFailure(run, error);
};
