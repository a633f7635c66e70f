/** @file Training as it is told on the terminal: one live line on a TTY, plain lines in a pipe, JSON where asked. */
import { gateLine, gateWarnings, isGrown } from "../analysis/gate.ts";
import type { GateEvent, RunEvent } from "../experiments/events.ts";
import type { EvaluationEvent, StepEvent } from "../training/events.ts";
import { formatCount, formatDuration, isLive, print, printJson, safeText, showLive } from "./output.ts";

/** Weight of the newest value in smoothed figures. */
const smoothing = 0.05;
/** Least time between two lines in a pipe. */
const plainSeconds = 5;

export interface ProgressPrinter {
  show(event: RunEvent): void;
}

/** One JSON object an event. */
export const createJsonPrinter = (): ProgressPrinter => ({ show: printJson });

/** Lines for people; `steps` is where the run ends. */
export function createProgressPrinter(steps: number): ProgressPrinter {
  let smoothed: { loss: number; milliseconds: number } | undefined;
  let printedAt = Number.NEGATIVE_INFINITY;
  const showStep = (event: StepEvent): void => {
    const mix = (old: number, now: number): number => old + smoothing * (now - old);
    const { loss, milliseconds } = event;
    smoothed = smoothed
      ? { loss: mix(smoothed.loss, loss), milliseconds: mix(smoothed.milliseconds, milliseconds) }
      : { loss, milliseconds };
    const line = stepLine(event, steps, smoothed);
    if (isLive()) return showLive(line);
    if (performance.now() - printedAt < plainSeconds * 1000 && event.step < steps) return;
    printedAt = performance.now();
    print(line);
  };
  const showGate = createGatePrinter(steps);
  return {
    show: (event) => {
      if (event.type === "step") showStep(event);
      else if (event.type === "gate") showGate(event);
      else showOther(event);
    },
  };
}

/** The gate's line at every evaluation; a warning when it is new, with what to do. */
function createGatePrinter(steps: number): (event: GateEvent) => void {
  let known = "";
  return (event) => {
    print(`  ${gateLine(event)}`);
    const warnings = gateWarnings(event, isGrown(event.step, steps));
    const keys = warnings.map(({ key }) => key).join();
    if (keys !== known) for (const { text, hint } of warnings) print(`step ${event.step}  warning: ${text}\n  ${hint}`);
    known = keys;
  };
}

function stepLine(event: StepEvent, steps: number, smoothed: { loss: number; milliseconds: number }): string {
  const remaining = ((steps - event.step) * smoothed.milliseconds) / 1000;
  const memory = Math.round(process.memoryUsage.rss() / 2 ** 20);
  return [
    `step ${event.step}/${steps}`,
    `loss ${event.loss.toFixed(3)}`,
    `smoothed ${smoothed.loss.toFixed(3)}`,
    `lr ${event.learningRate.toExponential(1)}`,
    `${formatCount((1000 * event.tokens) / smoothed.milliseconds)} tokens/s`,
    `ETA ${formatDuration(remaining)}`,
    `${memory} MB`,
  ].join("  ");
}

const evaluationLine = ({ step, nats, perplexity, bitsPerByte, best }: EvaluationEvent): string =>
  `step ${step}  validation ${nats.toFixed(4)} nats per token  perplexity ${perplexity.toFixed(1)}  ` +
  `${bitsPerByte.toFixed(3)} bits per byte${best ? "  best so far" : ""}`;

function showOther(event: Exclude<RunEvent, StepEvent | GateEvent>): void {
  switch (event.type) {
    case "evaluation":
      return print(evaluationLine(event));
    case "skipped":
      return print(
        `step ${event.step}  skipped: loss ${event.loss}, gradient norm ${event.gradientNorm} (${event.inARow} in a row)`,
      );
    case "sample":
      return print(indented(safeText(event.prompt + event.text)));
    case "probe":
      return print(`  ${JSON.stringify(event.prompt)} is followed by ${probeWords(event.tokens)}`);
    case "checkpoint":
    case "done":
      return;
    default:
      event satisfies never;
  }
}

/** A sample set off from the figures, without the empty lines around it. */
const indented = (text: string): string => text.replace(/^\s*\n|\s+$/g, "").replace(/^(?=.)/gm, "  ");

const probeWords = (tokens: readonly { text: string; probability: number }[]): string =>
  tokens
    .slice(0, 5)
    .map(({ text, probability }) => `${JSON.stringify(safeText(text))} ${probability.toFixed(2)}`)
    .join("  ");
