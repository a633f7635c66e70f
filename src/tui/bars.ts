/** @file A probability and what became of it, as one bar of block characters. */

/** A probability before and after. */
export interface BeforeAfter {
  readonly raw: number;
  readonly final: number;
}

/** Cells of the raw and the final probability, in a bar of so many cells. */
export interface BarCells {
  /** `█` in both. */
  readonly same: string;
  /** `▓` only in the final one. */
  readonly gained: string;
  /** `░` only in the raw one. */
  readonly lost: string;
}

const eighths = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/** The bar of one candidate; a probability of `scale` fills `width` cells. */
export function barCells({ raw, final }: BeforeAfter, scale: number, width: number): BarCells {
  const cells = (probability: number) => Math.min(width, Math.round((probability / scale) * width));
  const [rawCells, finalCells] = [cells(raw), cells(final)];
  if (rawCells !== finalCells) {
    return {
      same: "█".repeat(Math.min(rawCells, finalCells)),
      gained: "▓".repeat(Math.max(0, finalCells - rawCells)),
      lost: "░".repeat(Math.max(0, rawCells - finalCells)),
    };
  }
  const parts = Math.min(width * 8, Math.max(final > 0 ? 1 : 0, Math.round((final / scale) * width * 8)));
  return { same: "█".repeat(Math.floor(parts / 8)) + eighths[parts % 8], gained: "", lost: "" };
}

/** The smallest round probability that holds every bar: 1, 0.5, 0.2, 0.1, … */
export function scaleFor(candidates: readonly BeforeAfter[]): number {
  const largest = candidates.reduce((most, { raw, final }) => Math.max(most, raw, final), 0);
  return [0.01, 0.02, 0.05, 0.1, 0.2, 0.5].find((scale) => largest <= scale) ?? 1;
}
