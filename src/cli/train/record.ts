/** @file Whether a run is only to be looked at: it is finished, or another process trains it. */
import { isRunBusy } from "../../experiments/lock.ts";
import { isRun, readRunConfig, savedSteps } from "../../experiments/runFolder.ts";
import type { TrainJob } from "../openSession.ts";

export type RecordKind = "replay" | "watching";

/** What to do with a run's record; undefined: there is something to train. */
export function recordOf(job: TrainJob): RecordKind | undefined {
  if (!isRun(job.folder)) return undefined;
  if (isRunBusy(job.folder)) return "watching";
  const wanted = ("resume" in job && job.resume.steps) || readRunConfig(job.folder).training.steps;
  return (savedSteps(job.folder)[0] ?? 0) >= wanted ? "replay" : undefined;
}
