/** @file What the events of a run do to the training screen's state. */
import { gateWarnings, isGrown } from "../../analysis/gate.ts";
import type { GateEvent, ProbeEvent } from "../../experiments/events.ts";
import type { EvaluationEvent, StepEvent } from "../../training/events.ts";
import { extend, type Value } from "../series.ts";
import type { Batch, TrainEvent } from "./port.ts";
import type { Curves, Smoothed, State, Warning } from "./state.ts";

/** Weight of the newest value in smoothed figures. */
const smoothing = 0.05;
/** Frames kept of a prompt's film, and warnings. */
const longestFilm = 64;
const mostWarnings = 50;
const mostPrompts = 20;

/** The state after a batch. Curves are extended once a batch, not once a step. */
export function take(state: State, batch: Batch): State {
  const steps = batch.events.filter((event) => event.type === "step");
  const others = batch.events.filter((event) => event.type !== "step");
  const withSteps = takeSteps(state, steps);
  const memory = batch.memory ?? state.memory;
  return others.reduce<State>((now, event) => takeOther(now, event), { ...withSteps, memory });
}

function takeSteps(state: State, steps: readonly StepEvent[]): State {
  const last = steps.at(-1);
  if (last === undefined) return state;
  let { smoothed } = state;
  const means: Value[] = [];
  for (const event of steps) {
    smoothed = smooth(smoothed, event);
    means.push({ step: event.step, value: smoothed.loss });
  }
  const of = (value: (event: StepEvent) => number): Value[] =>
    steps.map((event) => ({ step: event.step, value: value(event) }));
  const { curves } = state;
  const extended: Curves = {
    ...curves,
    loss: extend(
      curves.loss,
      of(({ loss }) => loss),
    ),
    smoothed: extend(curves.smoothed, means),
    learningRate: extend(
      curves.learningRate,
      of(({ learningRate }) => learningRate),
    ),
    gradientNorm: extend(
      curves.gradientNorm,
      of(({ gradientNorm }) => gradientNorm),
    ),
    speed: extend(
      curves.speed,
      of(({ tokens, milliseconds }) => (1000 * tokens) / milliseconds),
    ),
  };
  return { ...state, step: last.step, last, smoothed, curves: extended };
}

function smooth(before: Smoothed | undefined, { loss, milliseconds }: StepEvent): Smoothed {
  if (before === undefined) return { loss, milliseconds };
  const mix = (old: number, now: number) => (Number.isFinite(now) ? old + smoothing * (now - old) : old);
  return { loss: mix(before.loss, loss), milliseconds: mix(before.milliseconds, milliseconds) };
}

function takeOther(state: State, event: Exclude<TrainEvent, StepEvent>): State {
  switch (event.type) {
    case "evaluation":
      return takeEvaluation(state, event);
    case "probe":
      return { ...state, probes: withFrame(state.probes, event) };
    case "sample":
      return { ...state, sample: event };
    case "skipped":
      return warn(state, {
        step: event.step,
        text: `skipped: loss ${event.loss}, gradient norm ${event.gradientNorm} (${event.inARow} in a row)`,
      });
    case "warning":
      return warn(state, event);
    case "gate":
      return takeGate(state, event);
    case "checkpoint": {
      const asked = state.notice?.text.startsWith("saving") === true;
      const notice = asked ? ({ kind: "info", text: `saved step ${event.step}` } as const) : state.notice;
      return { ...state, savedStep: event.step, notice };
    }
    case "done":
      return takeEnd(state, event.reason, event.step);
    default:
      event satisfies never;
      return state;
  }
}

function takeEvaluation(state: State, event: EvaluationEvent): State {
  const better = Number.isFinite(event.nats) && event.nats < (state.best?.nats ?? Number.POSITIVE_INFINITY);
  const validation = extend(state.curves.validation, [{ step: event.step, value: event.nats }]);
  return {
    ...state,
    evaluation: event,
    best: better ? event : state.best,
    curves: { ...state.curves, validation },
  };
}

function withFrame(probes: State["probes"], event: ProbeEvent): State["probes"] {
  if (!probes.has(event.prompt) && probes.size >= mostPrompts) return probes;
  const film = [...(probes.get(event.prompt) ?? []), event].slice(-longestFilm);
  return new Map(probes).set(event.prompt, film);
}

/** A gate's trouble is told when it is new. */
function takeGate(state: State, event: GateEvent): State {
  const warnings = gateWarnings(event, isGrown(event.step, state.card?.steps ?? Number.POSITIVE_INFINITY));
  const gateTrouble = warnings.map(({ key }) => key).join();
  if (gateTrouble === state.gateTrouble) return state;
  const told = warnings.reduce(
    (now, { text, hint }) => warn(now, { step: event.step, text: `${text}. ${hint}` }),
    state,
  );
  return { ...told, gateTrouble };
}

function warn(state: State, { step, text }: Warning): State {
  return {
    ...state,
    step: Math.max(state.step, step),
    warnings: [...state.warnings, { step, text }].slice(-mostWarnings),
  };
}

function takeEnd(state: State, reason: "finished" | "stopped", step: number): State {
  const page = state.page === "leave" ? "run" : state.page;
  // Whoever asked for the end has left already.
  if (state.phase === "stopping") return { ...state, page, step, phase: reason, ended: true };
  return { ...state, page, step, phase: reason, notice: undefined };
}
