/** @file The table of runs: its columns, how they sort, how they read. Also the plain form of `softbox runs ls`. */
import type { RunSummary } from "../../experiments/runSummary.ts";
import { column, readable, textCells } from "../cells.ts";
import { grouped } from "../numbers.ts";

/** One column. */
export interface Column {
  readonly title: string;
  readonly text: (run: RunSummary) => string;
  /** What it sorts by; absent values come last. */
  readonly value: (run: RunSummary) => number | string | undefined;
  readonly right?: true;
}

/** The most important first: a narrow window shows the first few. */
export const columns: readonly Column[] = [
  { title: "run", text: ({ name }) => name, value: ({ name }) => name },
  {
    title: "bits/byte",
    text: ({ bitsPerByte }) => bitsPerByte?.toFixed(3) ?? "",
    value: ({ bitsPerByte }) => bitsPerByte,
    right: true,
  },
  {
    title: "best nats",
    text: ({ bestNats }) => bestNats?.toFixed(4) ?? "",
    value: ({ bestNats }) => bestNats,
    right: true,
  },
  { title: "step", text: stepText, value: ({ step }) => step, right: true },
  { title: "state", text: ({ state }) => state, value: ({ state }) => state },
  { title: "model", text: ({ model }) => model ?? "", value: ({ model }) => model },
  {
    title: "tokens/s",
    text: ({ tokensPerSecond }) => (tokensPerSecond === undefined ? "" : grouped(tokensPerSecond)),
    value: ({ tokensPerSecond }) => tokensPerSecond,
    right: true,
  },
  {
    title: "text",
    text: ({ corpus, tokenizer }) => [corpus, tokenizer].filter(Boolean).join(", "),
    value: ({ corpus }) => corpus,
  },
  { title: "tags", text: ({ tags }) => tags?.join(", ") ?? "", value: ({ tags }) => tags?.join() },
  {
    title: "changed",
    text: ({ changedAt }) => new Date(changedAt).toISOString().slice(0, 16).replace("T", " "),
    value: ({ changedAt }) => changedAt,
  },
];

function stepText({ step, steps }: RunSummary): string {
  return steps === undefined || steps === step ? grouped(step) : `${grouped(step)} of ${grouped(steps)}`;
}

/** Runs in the order of a column; equal ones by name. */
export function sortRuns<T extends { readonly summary: RunSummary }>(
  runs: readonly T[],
  by: number,
  descending: boolean,
): readonly T[] {
  const { value } = columns[by]!;
  const sign = descending ? -1 : 1;
  return [...runs].sort((a, b) => {
    const [x, y] = [value(a.summary), value(b.summary)];
    const absent = Number(x === undefined) - Number(y === undefined);
    const order = absent || (x === undefined || y === undefined ? 0 : x < y ? -sign : x > y ? sign : 0);
    return order || (a.summary.name < b.summary.name ? -1 : 1);
  });
}

/** Cells of each column that fits into `width`; at least the first. */
export function columnWidths(runs: readonly RunSummary[], width: number): readonly number[] {
  const widths: number[] = [];
  let used = 0;
  for (const { title, text } of columns) {
    const cells = Math.min(28, Math.max(title.length + 1, ...runs.map((run) => textCells(readable(text(run))))));
    used += cells + (widths.length > 0 ? 2 : 0);
    if (used > width && widths.length > 0) break;
    widths.push(Math.min(cells, width));
  }
  return widths;
}

/** One line of the table. */
const rowText = (texts: readonly string[], widths: readonly number[]): string =>
  widths
    .map((width, index) => {
      const text = readable(texts[index]!);
      return columns[index]!.right ? column("", width - textCells(text)) + text : column(text, width);
    })
    .join("  ");

/** The titles; that of the column that sorts has an arrow. */
export const headText = (widths: readonly number[], sortBy = -1, descending = false): string =>
  rowText(
    columns.map(({ title }, index) => (index === sortBy ? `${title}${descending ? "↓" : "↑"}` : title)),
    widths,
  );
export const runText = (run: RunSummary, widths: readonly number[]): string =>
  rowText(
    columns.map(({ text }) => text(run)),
    widths,
  );
