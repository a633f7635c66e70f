/** @file Trials trained on this machine, several at once. */
import { workInPool } from "./pool.ts";
import { type TrialOptions, trainTrial } from "./trainTrial.ts";
import type { TrialJob } from "./trials.ts";
import type { Workshop, WorkshopEvent } from "./workshop.ts";

export interface LocalOptions extends Pick<TrialOptions, "study" | "flags"> {
  /** Processes at once. */
  readonly parallel: number;
}

export const createLocalWorkshop = (options: LocalOptions): Workshop => ({
  train: (jobs, signal) =>
    workInPool<TrialJob, WorkshopEvent>(jobs, options.parallel, (job, tell) => trainTrial(job, options, tell, signal)),
});
