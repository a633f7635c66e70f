/** @file The screen of runs: overlaid curves above a table, at most rows − 1 lines high. */
import { Box } from "ink";
import { type Curve, chartLines } from "../chart.ts";
import { Lines, Panel, titleLines } from "../components.tsx";
import { Bottom, HintsLine } from "../Footer.tsx";
import { HelpPage } from "../HelpPage.tsx";
import type { Notice } from "../notice.ts";
import type { PanelView } from "../panel.ts";
import { emptySeries, extend, meanOf } from "../series.ts";
import { runLooks, theme } from "../theme.ts";
import type { Span } from "../wrap.ts";
import { bindings, titles } from "./keys.ts";
import type { RunRecord } from "./port.ts";
import { type State, sortedRuns } from "./state.ts";
import { columnWidths, headText, runText } from "./table.ts";

export interface RunsScreenProps {
  readonly state: State;
}

/** The page that the state says. */
export function RunsScreen({ state }: RunsScreenProps) {
  const { columns: width, rows } = state.size;
  const lines = Math.max(1, rows - 1);
  return (
    <Box flexDirection="column" width={width} height={lines}>
      {state.page === "help" ? <Help state={state} lines={lines} /> : <Runs state={state} lines={lines} />}
    </Box>
  );
}

interface PageProps extends RunsScreenProps {
  readonly lines: number;
}

function Help({ state, lines }: PageProps) {
  const width = state.size.columns;
  const hints = lines > 3 ? 1 : 0;
  return (
    <>
      <HelpPage bindings={bindings} titles={titles} top={state.helpTop} lines={lines - hints} width={width} />
      {hints > 0 && <HintsLine bindings={bindings} page="help" width={width} />}
    </>
  );
}

function Runs({ state, lines }: PageProps) {
  const width = state.size.columns;
  const bottom = lines >= 16 ? 2 : lines >= 6 ? 1 : 0;
  const free = lines - bottom;
  const wanted = (state.runs?.length ?? 0) + 1;
  const table = Math.max(Math.min(2, free), Math.min(wanted, Math.floor(free * (free < 12 ? 0.5 : 0.4))));
  const chart = free - table;
  return (
    <>
      {chart > 0 && <Panel view={curvesView(state, width, chart - titleLines(chart))} width={width} height={chart} />}
      <Lines lines={tableLines(state, width, table)} width={width} height={table} />
      <Bottom bindings={bindings} page="runs" notice={noticeFor(state)} lines={bottom} width={width} />
    </>
  );
}

function noticeFor({ notice, runs, selected }: State): Notice | undefined {
  if (notice !== undefined) return notice;
  if (runs === undefined) return { kind: "info", text: "reading runs …" };
  if (runs.length === 0) return { kind: "info", text: "there is no run here", hint: "softbox train makes one" };
  const problem = runs.find(({ summary }) => summary.folder === selected)?.summary.problem;
  return problem === undefined ? undefined : { kind: "error", text: problem };
}

const letters = "abcdef";

/** The curves of the shown runs, each with its letter and its colour. */
function curvesView(state: State, width: number, height: number): PanelView {
  const { kind, logX, logY, shown } = state;
  const drawn = shown.flatMap((folder, place) => {
    const run = state.runs?.find(({ summary }) => summary.folder === folder);
    return run === undefined ? [] : [{ run, place }];
  });
  const curves = drawn.flatMap(({ run, place }) => curvesOf(run, kind, place));
  const legend = drawn.map(
    ({ run, place }): Span => ({ text: `${letters[place]} ${run.summary.name} `, look: runLooks[place]! }),
  );
  const scale = logX || logY ? ` · log ${logX ? "x" : ""}${logY ? "y" : ""}` : "";
  const what = kind === "loss" ? "training loss" : "validation loss";
  return {
    title: `${what}${scale} · nats per token`,
    legend,
    lines: chartLines(curves, { width, height, logX, logY }),
  };
}

/** A line, with the run's letter at its end or at its evaluations. */
function curvesOf({ curves }: RunRecord, kind: State["kind"], place: number): readonly Curve[] {
  const look = runLooks[place]!;
  const points = extend(emptySeries, kind === "loss" ? smooth(curves.loss) : curves.validation).buckets.map(
    (bucket) => ({
      x: bucket.step,
      y: meanOf(bucket),
    }),
  );
  const marks = kind === "loss" ? points.slice(-1) : points;
  return [
    { points, form: "line", look },
    { points: marks, form: "marks", mark: letters[place]!, look },
  ];
}

/** Exponential means, so that curves can be told apart. */
function smooth(values: readonly { readonly step: number; readonly value: number }[]) {
  let mean: number | undefined;
  return values.map(({ step, value }) => {
    if (Number.isFinite(value)) mean = mean === undefined ? value : mean + 0.05 * (value - mean);
    return { step, value: mean ?? value };
  });
}

function tableLines(state: State, width: number, height: number): readonly (readonly Span[])[] {
  const order = sortedRuns(state);
  const widths = columnWidths(
    order.map(({ summary }) => summary),
    Math.max(1, width - 4),
  );
  const room = Math.max(1, height - 1);
  const at = order.findIndex(({ summary }) => summary.folder === state.selected);
  const first = Math.max(0, Math.min(at - room + 1, order.length - room));
  const rows = order.slice(first, first + room).map(({ summary }): readonly Span[] => {
    const place = state.shown.indexOf(summary.folder);
    const isSelected = summary.folder === state.selected;
    return [
      { text: isSelected ? "▸ " : "  ", look: theme.title },
      { text: `${place < 0 ? " " : letters[place]} `, look: place < 0 ? theme.plain : runLooks[place]! },
      { text: runText(summary, widths), look: isSelected ? theme.title : theme.plain },
    ];
  });
  const head = headText(widths, state.sortBy, state.descending);
  return [[{ text: `    ${head}`, look: theme.faint }], ...rows];
}
