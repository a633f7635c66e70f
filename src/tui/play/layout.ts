/** @file Which parts of the play screen get how many lines. The less important ones go first when room is short. */
import type { Size } from "../screen.ts";

/** Lines for each part; their sum is at most rows − 1. */
export interface Layout {
  readonly columns: number;
  /** All of them. */
  readonly lines: number;
  /** Run, step, head, engine. */
  readonly card: 0 | 1;
  readonly settings: 0 | 1;
  /** The rule above the text, with its legend. */
  readonly textRule: 0 | 1;
  readonly text: number;
  /** The surprise along the text. */
  readonly surprise: 0 | 1;
  /** Entropy and effective vocabulary, as the rule above the bars. */
  readonly entropy: 0 | 1;
  /** The bars' column heads and scale. */
  readonly heads: 0 | 1;
  readonly bars: number;
  readonly mixture: 0 | 1;
  /** A line for notices; without it they take the place of the hints. */
  readonly notice: 0 | 1;
  readonly hints: 0 | 1;
}

/** A line of its own from this many lines on. */
const worthFrom = {
  settings: 3,
  entropy: 5,
  hints: 6,
  card: 9,
  textRule: 13,
  heads: 14,
  mixture: 15,
  notice: 17,
  surprise: 19,
};
/** Share of the free lines that the text gets. */
const textShare = 0.32;

/** Divides the window. */
export function layoutOf(size: Size, hasMixture: boolean): Layout {
  const lines = Math.max(1, size.rows - 1);
  const one = (part: keyof typeof worthFrom): 0 | 1 => (lines >= worthFrom[part] ? 1 : 0);
  const fixed = {
    card: one("card"),
    settings: one("settings"),
    textRule: one("textRule"),
    surprise: one("surprise"),
    entropy: one("entropy"),
    heads: one("heads"),
    mixture: hasMixture ? one("mixture") : (0 as const),
    notice: one("notice"),
    hints: one("hints"),
  };
  const free = lines - Object.values(fixed).reduce((sum: number, part) => sum + part, 0);
  const text = Math.max(1, Math.round(free * textShare));
  return { columns: size.columns, lines, ...fixed, text, bars: free - text };
}
