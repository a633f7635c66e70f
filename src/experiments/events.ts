/** @file What a run tells besides the training loop's own events. Plain data. */
import type { TrainingEvent } from "../training/events.ts";

/** The likeliest next tokens after a fixed prompt: one frame of the film of a distribution forming. */
export interface ProbeEvent {
  readonly type: "probe";
  readonly step: number;
  readonly prompt: string;
  readonly tokens: readonly { readonly text: string; readonly probability: number }[];
}

/** Text as the model writes it at this step. */
export interface SampleEvent {
  readonly type: "sample";
  readonly step: number;
  readonly prompt: string;
  readonly text: string;
}

export type RunEvent = TrainingEvent | ProbeEvent | SampleEvent;
