/** @file A state to draw in tests. */
import type { Candidate, ModelCard, Snapshot } from "../../src/tui/play/port.ts";
import { defaultSettings } from "../../src/tui/play/settings.ts";
import { initialState, type State } from "../../src/tui/play/state.ts";

export const sampleCard: ModelCard = {
  run: "moby",
  step: 1500,
  parameters: 1_234_567,
  vocabSize: 15_936,
  contextLength: 128,
  head: "mos:4",
  engine: "native",
};

const likely: readonly (readonly [string, number, number])[] = [
  [" the", 0.4, 0.55],
  [" whale", 0.2, 0.25],
  ["\n", 0.1, 0.1],
  [" 鯨🐋", 0.08, 0.06],
  ["\x1b[2J", 0.05, 0.04],
  [" leviathanically-overgrown-by-far", 0.02, 0],
  ["\t", 0.01, 0],
];

export const sampleCandidates: readonly Candidate[] = likely.map(([text, raw, final], id) => ({
  id,
  text,
  raw,
  final,
  kept: final > 0,
}));

export const sampleSnapshot: Snapshot = {
  tokens: [
    { id: 1, text: "Call me", probability: undefined, source: "prompt" },
    { id: 2, text: " Ishmael", probability: 0.7, source: "sampled" },
    { id: 3, text: ".\n", probability: 0.2, source: "sampled" },
    { id: 4, text: "Some", probability: 0.05, source: "sampled" },
    { id: 5, text: " 鯨", probability: 0.001, source: "picked" },
  ],
  next: { candidates: sampleCandidates, entropy: 3.21, finalEntropy: 2.1 },
  windowed: false,
  mixture: [0.61, 0.3, 0.09],
};

/** A screen with a model and a text on it. */
export function sampleState(columns: number, rows: number, changes: Partial<State> = {}): State {
  return {
    ...initialState({ columns, rows }, { ...defaultSettings, temperature: 0.8, topK: 5 }, "Call me"),
    card: sampleCard,
    snapshot: sampleSnapshot,
    answered: defaultSettings,
    waiting: [],
    ...changes,
  };
}
