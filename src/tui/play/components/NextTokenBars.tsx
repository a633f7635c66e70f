/** @file The next-token distribution as bars: the final probability, and what temperature and filters made of the raw. */
import { Box } from "ink";
import { barCells, scaleFor } from "../../bars.ts";
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
