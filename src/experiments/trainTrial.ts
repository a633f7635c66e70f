/** @file One trial trained by a process of its own that runs `softbox train`: none disturbs another's memory or dies with it. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import { packageRoot } from "../engine/packageRoot.ts";
import type { RunEvent } from "./events.ts";
import { isRunBusy, type LockOwner, lockOwner, takeLockFrom } from "./lock.ts";
import { isRun } from "./runFolder.ts";
import { expectSameTrial, isTrained, type TrialJob, writeTrialRecipe } from "./trials.ts";
import type { WorkshopEvent } from "./workshop.ts";

export interface TrialOptions {
  /** The folder of all trials. */
  readonly study: string;
  /** Flags such as `--engine` and `--threads`. */
  readonly flags: readonly string[];
  /** Told the process's id as soon as there is one, before it can have locked the run. */
  readonly onProcess?: (pid: number) => void;
  /** Whether the owner of the run's lock is known to have ended, though it cannot be asked from here. */
  readonly hasEnded?: (owner: LockOwner) => boolean;
}

type Tell = (event: WorkshopEvent) => void;

/** Milliseconds between two looks at a run that another process trains. */
const lookEvery = 250;
/** Characters kept of what a process complains of. */
const longestComplaint = 4000;
/** How often a run that others also begin is tried. */
const mostAttempts = 5;

/**
 * Begins the trial's run, or goes on with it; a living owner of the run is waited for.
 *
 * @throws {SandboxError} if another configuration's run stands in its folder.
 */
export async function trainTrial(
  job: TrialJob,
  options: TrialOptions,
  tell: Tell,
  signal?: AbortSignal,
): Promise<void> {
  const { name, folder } = job.trial;
  for (let attempt = 1; ; attempt++) {
    if (signal?.aborted) return;
    expectSameTrial(job.trial);
    await waitForOther(job, options, tell, signal);
    if (signal?.aborted) return;
    if (isTrained(job)) return tell({ type: "finished", name });
    const wasRun = isRun(folder);
    const args = await argumentsOf(job, options);
    tell({ type: "started", name });
    const end = await runProcess(args, name, options, tell, signal);
    // A process that a killed sweep left behind may have been a moment faster than ours: then its run is gone on with.
    const wasOther = isRunBusy(folder) || (!wasRun && isRun(folder));
    if (end.type !== "failed" || !wasOther || attempt === mostAttempts) return tell(end);
  }
}

/** Begins a run, or goes on with it. */
async function argumentsOf({ trial, steps }: TrialJob, { study, flags }: TrialOptions): Promise<string[]> {
  const { folder } = trial;
  const place = isRun(folder)
    ? ["--resume", folder]
    : ["--recipe", await writeTrialRecipe(study, trial), "--run", folder];
  return ["train", ...place, "--steps", String(steps), ...flags, "--json"];
}

/** A run that is being trained, perhaps by a process that a killed sweep left behind, is left to it until it ends. */
async function waitForOther(
  { trial: { name, folder } }: TrialJob,
  { hasEnded }: TrialOptions,
  tell: Tell,
  signal?: AbortSignal,
): Promise<void> {
  let told = false;
  while (isRunBusy(folder) && !signal?.aborted) {
    const owner = lockOwner(folder);
    if (owner && hasEnded?.(owner)) {
      takeLockFrom(folder, owner);
      continue;
    }
    if (!told) tell({ type: "waiting", name });
    told = true;
    await setTimeout(lookEvery);
  }
}

/** Runs `softbox <args>`; its JSON lines become progress. Should this process die, the closed pipe ends the other at its next step. */
function runProcess(
  args: readonly string[],
  name: string,
  { onProcess }: TrialOptions,
  tell: Tell,
  signal?: AbortSignal,
): Promise<WorkshopEvent> {
  const program = join(packageRoot(), "bin/softbox.js");
  // A process group of its own: Ctrl-C reaches it once, through us, not twice.
  const child = spawn(process.execPath, [program, ...args], { stdio: ["ignore", "pipe", "pipe"], detached: true });
  if (child.pid !== undefined) onProcess?.(child.pid);
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
