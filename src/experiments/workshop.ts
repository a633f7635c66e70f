/**
 * @file Whoever trains trials: gets jobs, tells how they go. Processes on this machine do it
 * (localWorkshop.ts), or workers on several machines that share a queue (queue/queueWorkshop.ts).
 */
import type { TrialJob } from "./trials.ts";

/** What a workshop tells of a trial, by its name. */
export type WorkshopEvent =
  | { readonly type: "started"; readonly name: string }
  /** The worker that trained it has gone; another goes on with it. */
  | { readonly type: "takenOver"; readonly name: string; readonly from: string; readonly by: string }
  /** Another process trains it. */
  | { readonly type: "waiting"; readonly name: string }
  | { readonly type: "finished"; readonly name: string }
  | { readonly type: "progress"; readonly name: string; readonly step: number; readonly loss: number }
  /** The trial could not be trained; the others go on. */
  | { readonly type: "failed"; readonly name: string; readonly reason: string }
  /** It was asked to stop, and has saved. */
  | { readonly type: "stopped"; readonly name: string };

export interface Workshop {
  /**
   * Trains every job, in this order as far as there are hands; a job that is trained already is only told as finished. Work is
   * idempotent: what was interrupted goes on from its last checkpoint.
   */
  train(jobs: readonly TrialJob[], signal?: AbortSignal): AsyncGenerator<WorkshopEvent>;
}
