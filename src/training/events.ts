/** @file What training tells of itself: plain data, safe to keep, print or send to a screen. */

/** One optimiser step. */
export interface StepEvent {
  readonly type: "step";
  /** From 1. */
  readonly step: number;
  /** Nats per token, mean of the step's batches. */
  readonly loss: number;
  readonly learningRate: number;
  /** Global norm before clipping. */
  readonly gradientNorm: number;
  readonly tokens: number;
  readonly milliseconds: number;
}

/** A step that was left out because its loss or gradient was not finite; parameters are as before. */
export interface SkippedEvent {
  readonly type: "skipped";
  readonly step: number;
  readonly loss: number;
  readonly gradientNorm: number;
  /** Skipped steps in a row, this one included. */
  readonly inARow: number;
}

/** Loss on the validation split. */
export interface EvaluationEvent {
  readonly type: "evaluation";
  readonly step: number;
  readonly nats: number;
  readonly perplexity: number;
  readonly bitsPerByte: number;
  readonly tokens: number;
  /** The lowest so far. */
  readonly best: boolean;
  /** On the schedule of the run, not just because this is where it stops. */
  readonly scheduled: boolean;
}

export interface CheckpointEvent {
  readonly type: "checkpoint";
  readonly step: number;
  readonly best: boolean;
}

export interface DoneEvent {
  readonly type: "done";
  readonly step: number;
  /** Whether all steps were made, or a signal stopped the run early. */
  readonly reason: "finished" | "stopped";
}

export type TrainingEvent = StepEvent | SkippedEvent | EvaluationEvent | CheckpointEvent | DoneEvent;
