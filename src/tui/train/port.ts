/** @file What the training screen needs from a run: plain data. The command line plugs a worker or a recording in. */
import type { RunEvent } from "../../experiments/events.ts";

/** What the screen hears. */
export type TrainEvent = RunEvent | { readonly type: "warning"; readonly step: number; readonly text: string };

/** Where the events come from. */
export type Source =
  /** They are made now, by a thread of this process. */
  | "training"
  /** A finished run is played again. */
  | "replay"
  /** Another process trains; nothing here can change the run. */
  | "watching";

/** Which run it is. */
export interface RunCard {
  readonly source: Source;
  /** The run's folder. */
  readonly run: string;
  /** Family and head: `transformer softmax`. */
  readonly model: string;
  /** Absent where only the record is at hand. */
  readonly parameters?: number;
  readonly corpus: string;
  readonly tokenizer: string;
  readonly engine: string;
  /** Steps in all. */
  readonly steps: number;
  /** Steps made before this sitting. */
  readonly from: number;
}

/** Several events at once, in order. */
export interface Batch {
  readonly events: readonly TrainEvent[];
  /** Resident memory of the process in MB; absent where it is not this one's. */
  readonly memory?: number;
}

/** What the run tells. `received` of one batch is called before the next is sent. */
export interface TrainListener {
  readonly batch: (batch: Batch) => void;
  /** The run cannot go on; nothing else follows. */
  readonly failed: (error: unknown) => void;
}

/** The run behind the screen. */
export interface TrainPort {
  /** Starts; called once, while the first frame is already shown. Events follow until `done`. */
  open(listener: TrainListener): Promise<RunCard>;
  /** The screen is ready for the next batch: at most one is under way. */
  ready(): void;
  pause(): void;
  resume(): void;
  /** Saves after the step at hand, or at once where the run is paused; a `checkpoint` event tells. */
  save(): void;
  /** Ends after the step at hand, saved; `done` tells. */
  stop(): void;
  /** For recordings: goes to the end at once. */
  skip(): void;
  /** Gives everything back; called once. */
  close(): Promise<void>;
}
