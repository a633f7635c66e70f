/** @file A reliability diagram in plain text, 60 columns, without colour. */
import type { ReliabilityBin } from "./reliability.ts";

/** Columns of a bar, which stand for accuracies from 0 to 1. */
const barWidth = 35;

/** What the signs mean. */
export const diagramLegend = "█ accuracy  ─ its 95 % interval  ◆ mean confidence (right: over-confident)";

/** One line a bin: where it lies, its tokens, its accuracy, and the bar. */
export function diagramText(bins: readonly ReliabilityBin[]): string[] {
  const scale = `${" ".repeat(24)}0${" ".repeat(barWidth / 2 - 2)}0.5${" ".repeat(barWidth / 2 - 1)}1`;
  return ["confidence tokens right", ...bins.map(line), scale];
}

function line({ from, to, count, confidence, accuracy, lower, upper }: ReliabilityBin): string {
  const place = `${percent(from)}–${percent(to)} %`.padStart(9);
  const tokens = shortCount(count).padStart(7);
  if (count === 0) return `${place} ${tokens}`;
  const right = `${percent(accuracy)} %`.padStart(5);
  return `${place} ${tokens} ${right} ${bar(accuracy, confidence, lower, upper)}`;
}

const percent = (share: number): string => String(Math.round(100 * share));

/** At most six characters. */
const shortCount = (count: number): string =>
  count < 100_000 ? count.toLocaleString("en-US") : `${Math.round(count / 1000)}k`;

const column = (share: number): number => Math.min(barWidth - 1, Math.floor(share * barWidth));

function bar(accuracy: number, confidence: number, lower: number, upper: number): string {
  const cells: string[] = Array.from({ length: barWidth }, (_, i) => {
    if (i <= column(accuracy) && accuracy > 0) return "█";
    return i >= column(lower) && i <= column(upper) ? "─" : " ";
  });
  cells[column(confidence)] = "◆";
  return cells.join("").trimEnd();
}
