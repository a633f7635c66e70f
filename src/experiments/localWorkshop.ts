/** @file Trials trained on this machine, each by a process of its own that runs `softbox train`: none disturbs another's memory or dies with it. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import { packageRoot } from "../engine/packageRoot.ts";
import type { RunEvent } from "./events.ts";
import { isRunBusy } from "./lock.ts";
import { workInPool } from "./pool.ts";
import { isRun } from "./runFolder.ts";
import { expectSameTrial, isTrained, type TrialJob, writeTrialRecipe } from "./trials.ts";
import type { Workshop, WorkshopEvent } from "./workshop.ts";

export interface LocalOptions {
  /** The folder of all trials. */
  readonly study: string;
  /** Processes at once. */
  readonly parallel: number;
  /** Flags for each, such as `--engine` and `--threads`. */
  readonly flags: readonly string[];
}

type Tell = (event: WorkshopEvent) => void;

/** Milliseconds between two looks at a run that another process trains. */
const lookEvery = 250;
/** Characters kept of what a process complains of. */
const longestComplaint = 4000;

export const createLocalWorkshop = (options: LocalOptions): Workshop => ({
  train: (jobs, signal) =>
    workInPool<TrialJob, WorkshopEvent>(jobs, options.parallel, (job, tell) => trainJob(job, options, tell, signal)),
});

async function trainJob(job: TrialJob, options: LocalOptions, tell: Tell, signal?: AbortSignal): Promise<void> {
  const { name, folder } = job.trial;
  for (let attempt = 1; ; attempt++) {
    if (signal?.aborted) return;
    expectSameTrial(job.trial);
    await waitForOther(job, tell, signal);
    if (signal?.aborted) return;
    if (isTrained(job)) return tell({ type: "finished", name });
    const wasRun = isRun(folder);
    const args = await argumentsOf(job, options);
    tell({ type: "started", name });
    const end = await runProcess([...args, ...options.flags, "--json"], name, tell, signal);
    // A process that a killed sweep left behind may have been a moment faster than ours: then its run is gone on with.
    const wasOther = isRunBusy(folder) || (!wasRun && isRun(folder));
    if (end.type !== "failed" || !wasOther || attempt === mostAttempts) return tell(end);
  }
}

/** How often a run that others also begin is tried. */
const mostAttempts = 5;

/** Begins a run, or goes on with it. */
async function argumentsOf({ trial, steps }: TrialJob, { study }: LocalOptions): Promise<string[]> {
  const { folder } = trial;
  const place = isRun(folder)
    ? ["--resume", folder]
    : ["--recipe", await writeTrialRecipe(study, trial), "--run", folder];
  return ["train", ...place, "--steps", String(steps)];
}

/** A run that is being trained, perhaps by a process that a killed sweep left behind, is left to it until it ends. */
async function waitForOther({ trial }: TrialJob, tell: Tell, signal?: AbortSignal): Promise<void> {
  if (!isRunBusy(trial.folder)) return;
  tell({ type: "waiting", name: trial.name });
  while (isRunBusy(trial.folder) && !signal?.aborted) await setTimeout(lookEvery);
}

/** Runs `softbox <args>`; its JSON lines become progress. Should this process die, the closed pipe ends the other at its next step. */
function runProcess(args: readonly string[], name: string, tell: Tell, signal?: AbortSignal): Promise<WorkshopEvent> {
  const program = join(packageRoot(), "bin/softbox.js");
  // A process group of its own: Ctrl-C reaches it once, through us, not twice.
  const child = spawn(process.execPath, [program, ...args], { stdio: ["ignore", "pipe", "pipe"], detached: true });
  const stop = (): void => void child.kill("SIGTERM");
  signal?.addEventListener("abort", stop);
  let complaint = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaint = (complaint + text).slice(-longestComplaint);
  });
  createInterface({ input: child.stdout }).on("line", (line) => {
    const event = eventOf(line);
    if (event?.type === "step") tell({ type: "progress", name, step: event.step, loss: event.loss });
  });
  return new Promise<WorkshopEvent>((resolve) => {
    child.on("error", (error) => resolve({ type: "failed", name, reason: error.message }));
    child.on("close", (code, killer) => {
      if (code === 0) resolve({ type: "finished", name });
      else if (signal?.aborted || code === 130) resolve({ type: "stopped", name });
      else resolve({ type: "failed", name, reason: complaint.trim() || `ended by ${killer ?? `exit code ${code}`}` });
    });
  }).finally(() => signal?.removeEventListener("abort", stop));
}

function eventOf(line: string): RunEvent | undefined {
  try {
    return JSON.parse(line) as RunEvent;
  } catch {
    return undefined; // a line that no event made
  }
}
