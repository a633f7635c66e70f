/** @file Colours and marks by meaning, for every screen. No component names a colour itself. */

/** How a piece of text looks: the part of Ink's text properties that we use. */
export interface Look {
  readonly color?: string;
  readonly backgroundColor?: string;
  readonly bold?: boolean;
  readonly dimColor?: boolean;
  readonly underline?: boolean;
  readonly inverse?: boolean;
}

/** A look for each meaning. */
export const theme = {
  plain: {},
  title: { bold: true },
  faint: { dimColor: true },
  value: { color: "cyan" },
  busy: { color: "yellow" },
  error: { color: "red", bold: true },
  key: { bold: true },
  caret: { inverse: true },
  chosen: { underline: true },
  selected: { bold: true, inverse: true },
  barSame: { color: "cyan" },
  barGained: { color: "green" },
  barLost: { color: "red" },
  filtered: { dimColor: true },
  warning: { color: "yellow" },
  curveRaw: { color: "blue" },
  curveSmooth: { color: "cyan" },
  curveValidation: { color: "yellow", bold: true },
} as const satisfies Record<string, Look>;

/** Looks of curves over each other; their letters tell them apart without colour. */
export const runLooks: readonly Look[] = ["cyan", "yellow", "green", "magenta", "blue", "red"].map((color) => ({
  color,
}));

/** Colours of a map from weak to strong: few, so that neighbours join and a frame stays cheap. */
export const heat: readonly string[] = ["black", "blue", "magenta", "yellow", "white"];

/** A class of token probability. */
export interface Likelihood {
  /** Smallest probability of the class. */
  readonly from: number;
  /** What the legend calls it. */
  readonly name: string;
  /** Readable without colour too: the less likely, the stronger the mark. */
  readonly look: Look;
}

/** Likeliest first; the last one takes everything. */
export const likelihoods: readonly Likelihood[] = [
  { from: 0.5, name: "≥50%", look: { color: "green" } },
  { from: 0.1, name: "≥10%", look: { color: "cyan" } },
  { from: 0.01, name: "≥1%", look: { color: "yellow", underline: true } },
  { from: 0, name: "rarer", look: { color: "red", bold: true, underline: true } },
];

/** The look of a token that had probability `probability` (in [0, 1]) when it was chosen. */
export function likelihoodLook(probability: number): Look {
  return (likelihoods.find(({ from }) => probability >= from) ?? likelihoods.at(-1)!).look;
}
