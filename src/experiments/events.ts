/** @file What a run tells besides the training loop's own events. Plain data. */
import type { GateUse } from "../analysis/gate.ts";
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

/** How a mixture uses its components, at an evaluation; what is wrong with it, `analysis/gate.ts` says. */
export interface GateEvent extends GateUse {
  readonly type: "gate";
  readonly step: number;
}

export type RunEvent = TrainingEvent | ProbeEvent | SampleEvent | GateEvent;
