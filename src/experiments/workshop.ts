/**
 * @file Whoever trains trials: gets jobs, tells how they go. Processes on this machine do it (localWorkshop.ts); a queue that
 * several machines share would do it behind the same face.
 */
import type { TrialJob } from "./trials.ts";

/** What a workshop tells of a trial, by its name. */
export type WorkshopEvent =
  | { readonly type: "started"; readonly name: string }
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
