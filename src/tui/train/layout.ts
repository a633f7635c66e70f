/** @file Which panels of the training screen get how much room. The chosen one always has some. */
import type { Size } from "../screen.ts";
import type { Panel } from "./state.ts";

/** A panel in its place; one of its lines is its title. */
export interface Placed {
  readonly panel: Panel;
  readonly width: number;
  readonly lines: number;
}

/** Lines for each part; their sum is at most rows − 1. */
export interface TrainLayout {
  readonly card: 0 | 1;
  readonly progress: 0 | 1;
  readonly losses: 0 | 1;
  readonly figures: 0 | 1;
  /** 0: nothing; 1: a notice, or else the keys; 2: both. */
  readonly bottom: 0 | 1 | 2;
  /** Below each other. */
  readonly left: readonly Placed[];
  /** Beside them, in a wide window. */
  readonly right: readonly Placed[];
}

/** A line of its own from this many lines on. */
const worthFrom = { progress: 2, bottom: 6, losses: 5, card: 10, figures: 8, notice: 17 };
/** A second column from this many cells and lines on. */
const wide = { columns: 100, lines: 18 };
/** Panels below each other from this many free lines on. */
const stackFrom = 11;

/** Divides the window. */
export function trainLayout({ columns, rows }: Size, chosen: Panel): TrainLayout {
  const lines = Math.max(1, rows - 1);
  const one = (part: keyof typeof worthFrom): 0 | 1 => (lines >= worthFrom[part] ? 1 : 0);
  const head = { card: one("card"), progress: one("progress"), losses: one("losses"), figures: one("figures") };
  const bottom = (one("bottom") + one("notice")) as 0 | 1 | 2;
  const free = lines - Object.values(head).reduce((sum: number, part) => sum + part, 0) - bottom;
  const others = companions(chosen);
  if (columns >= wide.columns && lines >= wide.lines) {
    const right = Math.min(56, Math.floor(columns * 0.42));
    const left = columns - right - 2;
    const probe = Math.ceil(free * 0.6);
    return {
      ...head,
      bottom,
      left: [{ panel: chosen, width: left, lines: free }],
      right: [
        { panel: others[0], width: right, lines: probe },
        { panel: others[1], width: right, lines: free - probe },
      ],
    };
  }
  return { ...head, bottom, left: stack(chosen, others, columns, free), right: [] };
}

function stack(chosen: Panel, others: readonly [Panel, Panel], width: number, free: number): readonly Placed[] {
  if (free < stackFrom) return [{ panel: chosen, width, lines: Math.max(1, free) }];
  const main = Math.ceil(free * 0.5);
  const second = free >= 14 ? Math.ceil((free - main) * 0.6) : free - main;
  const third = free - main - second;
  return [
    { panel: chosen, width, lines: main },
    { panel: others[0], width, lines: second },
    ...(third > 0 ? [{ panel: others[1], width, lines: third }] : []),
  ];
}

/** The two that stand beside the chosen one. */
function companions(chosen: Panel): readonly [Panel, Panel] {
  if (chosen === "probe") return ["loss", "sample"];
  return chosen === "sample" ? ["probe", "loss"] : ["probe", "sample"];
}
