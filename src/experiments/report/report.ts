/** @file What a report is made of, and every chart in it by the name of its file. Plain data in, plain data out. */
import type { Chart } from "../../drawing/chart.ts";
import { type Comparison, compareRuns } from "../comparison.ts";
import type { GateEvent, ProbeEvent } from "../events.ts";
import { measures } from "../outcome.ts";
import { curvesChart } from "./curvesChart.ts";
import type { FiguresOrReason, ModelFigures } from "./figures.ts";
import { visibleToken } from "./html.ts";
import { attentionChart, type NamedFigure, spectrumChart } from "./modelCharts.ts";
import { reliabilityChart } from "./reliabilityChart.ts";
import type { ReportRun } from "./reportRun.ts";
import { type Frame, sharesChart } from "./sharesChart.ts";

export interface Report {
  readonly runs: readonly ReportRun[];
  readonly comparison: Comparison;
  /** Of each run; absent where nobody asked the models. */
  readonly figures?: readonly FiguresOrReason[];
  readonly madeAt: Date;
  /** Of softbox. */
  readonly version: string;
}

export const createReport = (parts: Omit<Report, "comparison">): Report => ({
  ...parts,
  comparison: compareRuns(parts.runs.map(({ outcome }) => outcome)),
});

/** Pixels of what is drawn for wide and for narrow pages. */
export const [wide, narrow] = [960, 352];

/** Every chart by the name of its file, without the ending. */
export function reportCharts(report: Report): Map<string, Chart> {
  const { runs } = report;
  const charts = new Map<string, Chart>();
  for (const measure of measures) charts.set(`curves-${measure}`, curvesChart(runs, measure, wide));
  for (const [i, run] of runs.entries()) {
    for (const [prompt, frames] of run.film)
      charts.set(filmName(run, prompt), sharesChart(filmFrames(frames), `${run.label}: next tokens after ${prompt}`));
    if (run.gate.length > 0)
      charts.set(`gate-${slug(run.label)}`, sharesChart(gateFrames(run.gate), `${run.label}: weights of the mixture`));
    const figures = figuresOf(report, i);
    if (figures === undefined) continue;
    charts.set(`reliability-${slug(run.label)}`, reliabilityChart(figures.reliability, run.label, i));
    for (const map of figures.attention?.maps ?? [])
      charts.set(attentionName(run, map), attentionChart(figures.attention!, map, run.label, i));
  }
  const spectra = namedFigures(report);
  if (spectra.length > 0) charts.set("spectrum", spectrumChart(spectra, wide));
  return charts;
}

/** Figures of the i-th run, where there are some. */
export function figuresOf({ figures }: Report, i: number): ModelFigures | undefined {
  const found = figures?.[i];
  return found && "figures" in found ? found.figures : undefined;
}

export const namedFigures = (report: Report): NamedFigure[] =>
  report.runs.flatMap(({ label }, index) => {
    const figures = figuresOf(report, index);
    return figures ? [{ label, index, figures }] : [];
  });

/** A name as part of a file's name. */
export const slug = (text: string): string =>
  text.replace(/[^\p{L}\p{N}.]+/gu, "-").replace(/^[-.]+|-+$/g, "") || "run";

export const filmName = (run: ReportRun, prompt: string): string =>
  `film-${slug(run.label)}-${[...run.film.keys()].indexOf(prompt) + 1}`;

export const attentionName = (
  run: ReportRun,
  { layer, head }: { readonly layer: number; readonly head: number },
): string => `attention-${slug(run.label)}-layer-${layer + 1}-head-${head + 1}`;

const filmFrames = (frames: readonly ProbeEvent[]): Frame[] =>
  frames.map(({ step, tokens }) => ({
    step,
    shares: new Map(tokens.map(({ text, probability }) => [visibleToken(text), probability])),
  }));

const gateFrames = (events: readonly GateEvent[]): Frame[] =>
  events.map(({ step, weights }) => ({
    step,
    shares: new Map(weights.map((weight, k) => [`component ${k + 1}`, weight])),
  }));
