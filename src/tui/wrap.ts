/** @file Pieces of styled text broken into lines of at most so many cells, between words where there are any. */
import { characterCells } from "./cells.ts";
import type { Look } from "./theme.ts";

/** A piece of text with one look; it may hold line breaks as `\n`. */
export interface Span {
  readonly text: string;
  readonly look: Look;
}

interface Cell {
  readonly text: string;
  readonly cells: number;
  readonly look: Look;
}

/**
 * Breaks spans into lines.
 *
 * @param spans - pieces without control characters but `\n`, which ends a line and is not shown.
 * @param width - cells a line, at least 3; the last one is for a space between two lines, or stays free.
 * @returns at least one line; a text that ends in `\n` ends with an empty line.
 */
export function wrapSpans(spans: readonly Span[], width: number): readonly (readonly Span[])[] {
  const lines: Cell[][] = [];
  let line: Cell[] = [];
  let used = 0;
  for (const { text, look } of spans) {
    for (const character of text) {
      if (character === "\n") {
        lines.push(line);
        line = [];
        used = 0;
        continue;
      }
      const cells = characterCells(character);
      if (used + cells > (character === " " ? width : width - 1)) {
        const carried = splitAtWord(line);
        lines.push(line);
        line = carried;
        used = carried.reduce((sum, cell) => sum + cell.cells, 0);
      }
      line.push({ text: character, cells, look });
      used += cells;
    }
  }
  lines.push(line);
  return lines.map(joinCells);
}

/** Takes the unfinished word off the end of a full line, if most of the line stays. */
function splitAtWord(line: Cell[]): Cell[] {
  const lastSpace = line.findLastIndex(({ text }) => text === " ");
  return lastSpace < line.length / 2 ? [] : line.splice(lastSpace + 1);
}

function joinCells(line: readonly Cell[]): readonly Span[] {
  const spans: { text: string; look: Look }[] = [];
  for (const { text, look } of line) {
    const last = spans.at(-1);
    if (last?.look === look) last.text += text;
    else spans.push({ text, look });
  }
  return spans;
}
