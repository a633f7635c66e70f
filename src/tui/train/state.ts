/** @file The training screen's state and the one function that changes it. No React, no run, no clock. */
import type { ProbeEvent, SampleEvent } from "../../experiments/events.ts";
import type { EvaluationEvent, StepEvent } from "../../training/events.ts";
import type { Notice } from "../notice.ts";
import type { Size } from "../screen.ts";
import type { Series } from "../series.ts";
import { emptySeries } from "../series.ts";
import { take } from "./events.ts";
import type { Batch, RunCard } from "./port.ts";

/** Which page is shown; `leave` asks whether to stop. */
export type Page = "run" | "leave" | "help";

/** What the large part of the screen shows; in a small window the only part. */
export const panels = ["loss", "learning rate", "gradient norm", "tokens/s", "probe", "sample", "warnings"] as const;
export type Panel = (typeof panels)[number];

/** Where the run stands. */
export type Phase = "loading" | "running" | "paused" | "stopping" | "finished" | "stopped" | "failed";

/** All curves by name; nats per token, or as the panel of the name says. */
export interface Curves {
  readonly loss: Series;
  readonly smoothed: Series;
  readonly validation: Series;
  readonly learningRate: Series;
  readonly gradientNorm: Series;
  readonly speed: Series;
}

/** Exponential means of what jumps from step to step. */
export interface Smoothed {
  readonly loss: number;
  readonly milliseconds: number;
}

/** A line that should not be overlooked. */
export interface Warning {
  readonly step: number;
  readonly text: string;
}

/** Everything that the screen shows. Every list is bounded. */
export interface State {
  readonly size: Size;
  readonly page: Page;
  readonly panel: Panel;
  /** Undefined until the run is open. */
  readonly card: RunCard | undefined;
  readonly phase: Phase;
  readonly step: number;
  readonly curves: Curves;
  readonly smoothed: Smoothed | undefined;
  readonly last: StepEvent | undefined;
  readonly evaluation: EvaluationEvent | undefined;
  /** The lowest validation loss seen. */
  readonly best: EvaluationEvent | undefined;
  /** The last frames of each prompt's film, oldest first. */
  readonly probes: ReadonlyMap<string, readonly ProbeEvent[]>;
  /** Index of the prompt that is shown. */
  readonly probe: number;
  readonly sample: SampleEvent | undefined;
  readonly warnings: readonly Warning[];
  /** What was wrong with the gate of a mixture when it was last looked at. */
  readonly gateTrouble: string;
  /** The step of the last checkpoint. */
  readonly savedStep: number | undefined;
  /** MB. */
  readonly memory: number | undefined;
  readonly logX: boolean;
  readonly logY: boolean;
  readonly helpTop: number;
  readonly notice: Notice | undefined;
  readonly ended: boolean;
}

/** Everything that can happen. */
export type Action =
  | { readonly type: "opened"; readonly card: RunCard }
  | { readonly type: "told"; readonly batch: Batch }
  | { readonly type: "failed"; readonly notice: Notice }
  | { readonly type: "resized"; readonly size: Size }
  | { readonly type: "pause-toggled" }
  | { readonly type: "save-asked" }
  | { readonly type: "skip-asked" }
  | { readonly type: "leave-asked" }
  | { readonly type: "stop-asked" }
  | { readonly type: "page-closed" }
  | { readonly type: "panel-turned"; readonly by: 1 | -1 }
  | { readonly type: "panel-chosen"; readonly panel: Panel }
  | { readonly type: "probe-turned"; readonly by: 1 | -1 }
  | { readonly type: "scale-toggled"; readonly axis: "x" | "y" }
  | { readonly type: "help-opened" }
  | { readonly type: "help-scrolled"; readonly by: number }
  | { readonly type: "repainted" }
  | { readonly type: "ended" };

const emptyCurves: Curves = {
  loss: emptySeries,
  smoothed: emptySeries,
  validation: emptySeries,
  learningRate: emptySeries,
  gradientNorm: emptySeries,
  speed: emptySeries,
};

/** The state before the run is open. */
export function initialState(size: Size): State {
  return {
    size,
    page: "run",
    panel: "loss",
    card: undefined,
    phase: "loading",
    step: 0,
    curves: emptyCurves,
    smoothed: undefined,
    last: undefined,
    evaluation: undefined,
    best: undefined,
    probes: new Map(),
    probe: 0,
    sample: undefined,
    warnings: [],
    gateTrouble: "",
    savedStep: undefined,
    memory: undefined,
    logX: false,
    logY: false,
    helpTop: 0,
    notice: undefined,
    ended: false,
  };
}

/** Whether steps may still come. */
export const isAtWork = ({ phase }: Pick<State, "phase">): boolean =>
  phase === "running" || phase === "paused" || phase === "stopping";

/** Whether leaving would end a training that is not finished. */
export const isLeavingCostly = (state: State): boolean => state.card?.source === "training" && isAtWork(state);

type Handlers = { readonly [K in Action["type"]]: (state: State, action: Extract<Action, { type: K }>) => State };

const handlers: Handlers = {
  opened: (state, { card }) => ({ ...state, card, phase: "running", step: Math.max(state.step, card.from) }),
  told: (state, { batch }) => take(state, batch),
  failed: (state, { notice }) => ({ ...state, phase: "failed", page: leaveAsked(state), notice }),
  resized: (state, { size }) => ({ ...state, size }),
  "pause-toggled": (state) => {
    if (state.phase === "running") return { ...state, phase: "paused", notice: undefined };
    return state.phase === "paused" ? { ...state, phase: "running", notice: undefined } : state;
  },
  "save-asked": saveAsked,
  "skip-asked": (state) => state,
  "leave-asked": (state) => {
    if (!isLeavingCostly(state)) return { ...state, ended: true };
    return { ...state, page: "leave" };
  },
  "stop-asked": (state) => {
    // Asked twice, it does not wait for the step at hand.
    if (!isLeavingCostly(state) || state.phase === "stopping") return { ...state, ended: true };
    return { ...state, page: "run", phase: "stopping" };
  },
  "page-closed": (state) => ({ ...state, page: "run" }),
  "panel-turned": (state, { by }) => {
    const place = (panels.indexOf(state.panel) + by + panels.length) % panels.length;
    return { ...state, panel: panels[place]! };
  },
  "panel-chosen": (state, { panel }) => ({ ...state, panel }),
  "probe-turned": (state, { by }) => {
    const count = Math.max(1, state.probes.size);
    return { ...state, probe: (state.probe + by + count) % count };
  },
  "scale-toggled": (state, { axis }) =>
    axis === "x" ? { ...state, logX: !state.logX } : { ...state, logY: !state.logY },
  "help-opened": (state) => ({ ...state, page: "help", helpTop: 0 }),
  "help-scrolled": (state, { by }) => ({ ...state, helpTop: Math.max(0, state.helpTop + by) }),
  repainted: (state) => state,
  ended: (state) => ({ ...state, ended: true }),
};

/** The state after an action. */
export function reduce(state: State, action: Action): State {
  const handler = handlers[action.type] as (state: State, action: Action) => State;
  return handler(state, action);
}

function saveAsked(state: State): State {
  const told = (text: string): State => ({ ...state, notice: { kind: "info", text } });
  if (!isAtWork(state)) return told("there is nothing to save: the run is not being trained");
  if (state.card?.source !== "training") return told("there is nothing to save: this is a record");
  if (state.savedStep === state.step) return told(`step ${state.step} is saved already`);
  return told("saving after this step …");
}

/** The question whether to leave goes away with the run. */
const leaveAsked = ({ page }: State): Page => (page === "leave" ? "run" : page);
