/**
 * @file Curves in braille with axes: pure, plain data to lines of styled text.
 *
 * A cell holds 2 × 4 dots (U+2800 …). Curves differ by form as well as by colour: single dots, joined lines, or a mark a
 * point, so that they can be told apart without colour.
 */
import { grouped, threeDigits } from "./numbers.ts";
import { type Look, theme } from "./theme.ts";
import type { Span } from "./wrap.ts";

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** One curve; later ones are drawn over earlier ones. */
export interface Curve {
  readonly points: readonly Point[];
  readonly form: "dots" | "line" | "marks";
  /** One cell wide, for the form `marks`. */
  readonly mark?: string;
  readonly look: Look;
}

export interface ChartOptions {
  /** Cells, axes included. */
  readonly width: number;
  /** Lines, axes included. */
  readonly height: number;
  readonly logX: boolean;
  readonly logY: boolean;
}

/** A scale from values to dots: `at(low) = 0`, `at(high) = dots − 1`. */
interface Scale {
  readonly low: number;
  readonly high: number;
  at(value: number): number;
}

interface Cell {
  bits: number;
  mark: string | undefined;
  look: Look;
}

const dotBits = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
] as const;
const labelWidth = 7;

/** The chart as `height` lines of at most `width` cells; without a point it is an empty frame. */
export function chartLines(curves: readonly Curve[], options: ChartOptions): readonly (readonly Span[])[] {
  const { width, height, logX, logY } = options;
  const narrow = width < 24;
  const columns = Math.max(1, width - (narrow ? 0 : labelWidth + 1));
  const axis = height >= 4 ? 1 : 0;
  const rows = Math.max(1, height - axis);
  const shown = curves.map((curve) => ({ ...curve, points: curve.points.filter(isShown(logX, logY)) }));
  const points = shown.flatMap((curve) => curve.points);
  if (points.length === 0) return emptyChart(width, height);
  const x = scaleOf(
    points.map((point) => point.x),
    columns * 2,
    logX,
  );
  const y = scaleOf(
    points.map((point) => point.y),
    rows * 4,
    logY,
  );
  const cells = drawCurves(shown, x, y, columns, rows);
  const lines = cells.map((row, index) => [...(narrow ? [] : labelSpans(index, rows, y, logY)), ...joinCells(row)]);
  return axis === 0 ? lines : [...lines, axisSpans(x, logX, columns, narrow)];
}

const isShown =
  (logX: boolean, logY: boolean) =>
  ({ x, y }: Point): boolean =>
    Number.isFinite(x) && Number.isFinite(y) && (!logX || x > 0) && (!logY || y > 0);

function emptyChart(width: number, height: number): readonly (readonly Span[])[] {
  const told: readonly Span[] = [{ text: "no point yet".slice(0, width), look: theme.faint }];
  return Array.from({ length: height }, (_, row) => (row === Math.floor(height / 2) ? told : []));
}

/** From the least to the largest value; a single value stands in the middle. */
function scaleOf(values: readonly number[], dots: number, log: boolean): Scale {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (low === high) [low, high] = log ? [low / 2, high * 2] : [low - 0.5, high + 0.5];
  const form = log ? Math.log : (value: number) => value;
  const [from, to] = [form(low), form(high)];
  return { low, high, at: (value) => Math.round(((form(value) - from) / (to - from)) * (dots - 1)) };
}

function drawCurves(curves: readonly Curve[], x: Scale, y: Scale, columns: number, rows: number): Cell[][] {
  const cells = Array.from({ length: rows }, () =>
    Array.from({ length: columns }, (): Cell => ({ bits: 0, mark: undefined, look: theme.plain })),
  );
  for (const { points, form, mark, look } of curves) {
    const dot = (column: number, up: number) => {
      const down = rows * 4 - 1 - up;
      const cell = cells[down >> 2]?.[column >> 1];
      if (cell === undefined) return;
      cell.bits |= dotBits[down & 3]![column & 1]!;
      cell.look = look;
      if (form === "marks") cell.mark = mark ?? "•";
    };
    let last: readonly [number, number] | undefined;
    for (const point of points) {
      const here = [x.at(point.x), y.at(point.y)] as const;
      if (form === "line" && last !== undefined) joinDots(last, here, dot);
      else dot(...here);
      last = here;
    }
  }
  return cells;
}

/** The dots of a straight line, ends included. */
function joinDots(
  [fromX, fromY]: readonly [number, number],
  [toX, toY]: readonly [number, number],
  dot: (x: number, y: number) => void,
): void {
  const length = Math.max(1, Math.abs(toX - fromX), Math.abs(toY - fromY));
  for (let i = 0; i <= length; i++)
    dot(Math.round(fromX + ((toX - fromX) * i) / length), Math.round(fromY + ((toY - fromY) * i) / length));
}

/** A value beside the first, the middle and the last row. */
function labelSpans(row: number, rows: number, y: Scale, log: boolean): readonly Span[] {
  const places = new Set([0, rows - 1, ...(rows >= 5 ? [Math.floor(rows / 2)] : [])]);
  if (!places.has(row)) return [{ text: `${" ".repeat(labelWidth)}│`, look: theme.faint }];
  const valueAt = (share: number): number =>
    log ? y.low * (y.high / y.low) ** share : y.low + (y.high - y.low) * share;
  // Where three digits say the same at both ends, or half-way, five are shown.
  const isFlat = threeDigits(y.low) === threeDigits(valueAt(0.5)) || threeDigits(y.high) === threeDigits(valueAt(0.5));
  const value = valueAt(rows === 1 ? 1 : 1 - row / (rows - 1));
  const text = isFlat ? value.toPrecision(5).slice(0, labelWidth) : threeDigits(value);
  return [{ text: `${text.padStart(labelWidth)}┤`, look: theme.faint }];
}

function axisSpans(x: Scale, log: boolean, columns: number, narrow: boolean): readonly Span[] {
  const [low, high] = [Math.round(x.low), Math.round(x.high)].map(grouped);
  const middleStep = Math.round(log ? Math.sqrt(x.low * x.high) : (x.low + x.high) / 2);
  const middle = grouped(middleStep);
  const room = columns - low!.length - high!.length;
  const withMiddle = room >= middle.length + 6;
  const left = Math.floor(columns / 2 - middle.length / 2) - low!.length;
  const between = withMiddle
    ? `${"─".repeat(Math.max(1, left))}${middle}${"─".repeat(Math.max(1, room - Math.max(1, left) - middle.length))}`
    : "─".repeat(Math.max(1, room));
  const corner = narrow ? "" : `${" ".repeat(labelWidth)}└`;
  return [{ text: `${corner}${low}${between}${high}`, look: theme.faint }];
}

/** Neighbouring cells of one look as one span. */
function joinCells(row: readonly Cell[]): readonly Span[] {
  const spans: { text: string; look: Look }[] = [];
  for (const { bits, mark, look } of row) {
    const text = mark ?? (bits === 0 ? " " : String.fromCharCode(0x2800 + bits));
    const last = spans.at(-1);
    if (last !== undefined && (last.look === look || text === " ")) last.text += text;
    else spans.push({ text, look });
  }
  return spans;
}
