/** @file What the screen's thread and the training thread say to each other: plain data. */
import type { RunConfig } from "../../experiments/config.ts";
import type { Batch, RunCard } from "../../tui/train/port.ts";
import type { EngineOptions } from "../command.ts";
import type { TrainJob } from "../openSession.ts";

/** What the training thread is started with. */
export interface TrainWork {
  readonly job: TrainJob;
  readonly engine: EngineOptions;
  readonly precision: RunConfig["precision"];
}

export type ToTraining = "ready" | "pause" | "resume" | "save" | "stop";

export type FromTraining =
  | { readonly type: "opened"; readonly card: RunCard }
  | { readonly type: "batch"; readonly batch: Batch }
  | { readonly type: "failed"; readonly message: string; readonly hint: string | undefined };
