/** @file Opens the run that flags ask for: a new one, or one to go on with. Loads tfjs. */
import type { RunConfig } from "../experiments/config.ts";
import { type ResumeOptions, resumeRun, type Session, startRun } from "../experiments/session.ts";

/** A run to be trained, as plain data. */
export type TrainJob = {
  readonly folder: string;
  readonly lossy: boolean;
  /** Also write event files for TensorBoard. */
  readonly tensorboard?: boolean;
} & ({ readonly start: RunConfig; readonly from?: string } | { readonly resume: ResumeOptions });

/** @param engine - the engine's description. */
export function openSession(job: TrainJob, engine: string, onWarning: (line: string) => void): Promise<Session> {
  const { folder, lossy, tensorboard = false } = job;
  const options = { folder, lossy, tensorboard, engine, onWarning };
  if (!("start" in job)) return resumeRun({ ...options, ...job.resume });
  return startRun(job.start, job.from === undefined ? options : { ...options, from: job.from });
}
