/** @file The next-token distribution as bars: the final probability, and what temperature and filters made of the raw. */
import { Box } from "ink";
import { column, label, truncate } from "../../cells.ts";
import { Line } from "../../components.tsx";
import { theme } from "../../theme.ts";
import type { Span } from "../../wrap.ts";
import type { Candidate, NextView } from "../port.ts";

export interface NextTokenBarsProps {
  readonly next: NextView;
  /** Index of the selected candidate. */
  readonly selected: number;
  /** Bars shown, around the selected one. */
  readonly lines: number;
  /** Whether to draw the line of column heads and scale. */
  readonly heads: boolean;
  /** In cells. */
  readonly width: number;
}

/** One line a candidate: rank, final and raw probability, bar, token. */
export function NextTokenBars({ next, selected, lines, heads, width }: NextTokenBarsProps) {
  const { candidates } = next;
  const scale = scaleFor(candidates);
  const parts = divide(width);
  const ahead = lines > 2 ? 1 : 0;
  const first = Math.max(0, Math.min(selected - lines + 1 + ahead, candidates.length - lines));
  return (
    <Box flexDirection="column" height={lines + (heads ? 1 : 0)} flexShrink={0}>
      {heads && <Line width={width} spans={headSpans(scale, parts)} />}
      {candidates.slice(first, first + lines).map((candidate, index) => (
        <Line
          key={candidate.id}
          width={width}
          spans={barSpans(candidate, first + index, first + index === selected, scale, parts)}
        />
      ))}
    </Box>
  );
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
export function barCells({ raw, final }: Pick<Candidate, "raw" | "final">, scale: number, width: number): BarCells {
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
export function scaleFor(candidates: readonly Pick<Candidate, "raw" | "final">[]): number {
  const largest = candidates.reduce((most, { raw, final }) => Math.max(most, raw, final), 0);
  return [0.01, 0.02, 0.05, 0.1, 0.2, 0.5].find((scale) => largest <= scale) ?? 1;
}

interface Parts {
  readonly bar: number;
  readonly token: number;
}

/** Cells before the bar: mark, rank, two numbers. */
const numbersWidth = 18;

function divide(width: number): Parts {
  const free = Math.max(4, width - numbersWidth - 1);
  const token = Math.min(24, Math.max(6, Math.round(free * 0.4)));
  return { token, bar: Math.max(1, free - token) };
}

function headSpans(scale: number, { bar }: Parts): readonly Span[] {
  const end = String(scale);
  const axis = bar < 8 ? "".padEnd(bar) : `0${"╌".repeat(bar - 1 - end.length)}${end}`;
  const legend: readonly Span[] =
    bar < 30
      ? [{ text: " token", look: theme.faint }]
      : [
          { text: " token  ", look: theme.faint },
          { text: "▓", look: theme.barGained },
          { text: "gained ", look: theme.faint },
          { text: "░", look: theme.barLost },
          { text: "lost", look: theme.faint },
        ];
  return [{ text: `    ${"final".padEnd(6)} ${"raw".padEnd(6)} ${axis}`, look: theme.faint }, ...legend];
}

function barSpans(
  candidate: Candidate,
  rank: number,
  isSelected: boolean,
  scale: number,
  parts: Parts,
): readonly Span[] {
  const { same, gained, lost } = barCells(candidate, scale, parts.bar);
  const final = candidate.kept ? candidate.final.toFixed(4) : "cut   ";
  const base = candidate.kept ? theme.plain : theme.filtered;
  const token = truncate(label(candidate.text), parts.token);
  return [
    { text: `${isSelected ? "▸" : " "}${String(rank + 1).padStart(2)} `, look: isSelected ? theme.title : theme.faint },
    { text: `${final} `, look: candidate.kept ? theme.title : base },
    { text: `${candidate.raw.toFixed(4)} `, look: base },
    { text: same, look: candidate.kept ? theme.barSame : base },
    { text: gained, look: theme.barGained },
    { text: column(lost, parts.bar - same.length - gained.length), look: candidate.kept ? theme.barLost : base },
    { text: " ", look: theme.plain },
    { text: token, look: isSelected ? theme.selected : base },
  ];
}
