/** @file A training screen's state to draw in tests: 200 steps of a loss that falls, two evaluations, one warning. */
import type { TrainEvent } from "../../src/tui/train/port.ts";
import { initialState, reduce, type State } from "../../src/tui/train/state.ts";

export const sampleRunCard = {
  source: "training",
  run: "checkpoints/moby",
  model: "transformer softmax",
  parameters: 1_234_567,
  corpus: "moby-dick",
  tokenizer: "char",
  engine: "native",
  steps: 400,
  from: 0,
} as const;

export const stepEvent = (step: number): TrainEvent => ({
  type: "step",
  step,
  loss: 2 + 2 * Math.exp(-step / 40),
  learningRate: 1e-3,
  gradientNorm: 1.25,
  tokens: 768,
  milliseconds: 50,
});

export const probeEvent = (step: number, probabilities: Readonly<Record<string, number>>): TrainEvent => ({
  type: "probe",
  step,
  prompt: "the ",
  tokens: Object.entries(probabilities).map(([text, probability]) => ({ text, probability })),
});

export const evaluationEvent = (step: number, nats: number): TrainEvent => ({
  type: "evaluation",
  step,
  nats,
  perplexity: Math.exp(nats),
  bitsPerByte: nats / Math.LN2,
  tokens: 1000,
  best: true,
  scheduled: true,
});

export const sampleEvents: readonly TrainEvent[] = [
  ...Array.from({ length: 100 }, (_, i) => stepEvent(i + 1)),
  evaluationEvent(100, 2.5),
  probeEvent(100, { w: 0.1, " 鯨🐋": 0.3, "\x1b[2J": 0.02 }),
  { type: "warning", step: 0, text: "probe 'q' is left out:\nthe tokenizer has no q" },
  ...Array.from({ length: 100 }, (_, i) => stepEvent(i + 101)),
  evaluationEvent(200, 2.25),
  probeEvent(200, { w: 0.4, " 鯨🐋": 0.2, "\x1b[2J": 0.02, "\t": 0.01 }),
  { type: "sample", step: 200, prompt: "the ", text: "white whale\x1b[2J\nand 鯨🐋\tthe sea" },
  { type: "checkpoint", step: 200, best: true },
];

/** The state after the events above. */
export function sampleRun(columns: number, rows: number, changes: Partial<State> = {}): State {
  const opened = reduce(initialState({ columns, rows }), { type: "opened", card: sampleRunCard });
  const told = reduce(opened, { type: "told", batch: { events: sampleEvents, memory: 320.4 } });
  return { ...told, ...changes };
}
