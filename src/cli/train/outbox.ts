/**
 * @file Events on their way to the screen, with back-pressure: one batch at a time, the next one when the screen is ready.
 * Meanwhile what waits stays bounded: neighbouring steps are merged into their mean, so curves lose detail, never length.
 */
import type { StepEvent } from "../../training/events.ts";
import type { TrainEvent } from "../../tui/train/port.ts";

/** Steps that wait at most, and other events: of those the oldest go. */
const mostSteps = 256;
const mostOthers = 256;

export interface Outbox {
  push(event: TrainEvent): void;
  /** The receiver can take a batch: it gets what waits at once, or the next event when it comes. */
  ready(): void;
}

/** An outbox whose receiver is not ready yet. */
export function createOutbox(send: (events: readonly TrainEvent[]) => void): Outbox {
  let steps: StepEvent[] = [];
  let others: TrainEvent[] = [];
  let isReady = false;
  let flushing = false;
  const flush = (): void => {
    flushing = false;
    if (!isReady || steps.length + others.length === 0) return;
    isReady = false;
    const events = [...steps, ...others].sort((a, b) => a.step - b.step); // stable: a step before what follows it
    steps = [];
    others = [];
    send(events);
  };
  // Not at once: an evaluation's probes and sample come close together.
  const flushSoon = (): void => {
    if (flushing) return;
    flushing = true;
    setImmediate(flush);
  };
  return {
    push: (event) => {
      if (event.type === "step") steps.push(event);
      else others.push(event);
      if (steps.length > mostSteps) steps = mergeSteps(steps);
      if (others.length > mostOthers) others = others.slice(-mostOthers);
      flushSoon();
    },
    ready: () => {
      isReady = true;
      flushSoon();
    },
  };
}

/** Half as many steps: the mean of each two, at the later one's place; the newest stays as it is. */
function mergeSteps(steps: readonly StepEvent[]): StepEvent[] {
  const newest = steps.at(-1)!;
  const merged: StepEvent[] = [];
  for (let i = 0; i + 1 < steps.length; i += 2) {
    const [a, b] = [steps[i]!, steps[i + 1] ?? steps[i]!];
    merged.push(b === newest ? a : mean(a, b));
  }
  return [...merged, newest];
}

const mean = (a: StepEvent, b: StepEvent): StepEvent => ({
  ...b,
  loss: (a.loss + b.loss) / 2,
  gradientNorm: (a.gradientNorm + b.gradientNorm) / 2,
  milliseconds: (a.milliseconds + b.milliseconds) / 2,
});
