/** @file What each panel of the training screen shows, as lines of styled text. */
import { barCells, scaleFor } from "../bars.ts";
import { column, label, readable, truncate } from "../cells.ts";
import { type Curve, chartLines } from "../chart.ts";
import { grouped } from "../numbers.ts";
import type { PanelView } from "../panel.ts";
import { meanOf, type Series } from "../series.ts";
import { theme } from "../theme.ts";
import { type Span, wrapSpans } from "../wrap.ts";
import type { Curves, Panel, State } from "./state.ts";

type Draw = (state: State, width: number, height: number) => PanelView;

const validationMark = "◆";

const drawings: { readonly [P in Panel]: Draw } = {
  loss: (state, width, height) => ({
    title: `loss in nats per token${scaleText(state)}`,
    legend: [
      { text: "⡂ each step ", look: theme.curveRaw },
      { text: "⠒ smoothed ", look: theme.curveSmooth },
      { text: `${validationMark} validation`, look: theme.curveValidation },
    ],
    lines: curveLines(
      state,
      [
        { points: pointsOf(state.curves.loss), form: "dots", look: theme.curveRaw },
        { points: pointsOf(state.curves.smoothed), form: "line", look: theme.curveSmooth },
        {
          points: pointsOf(state.curves.validation),
          form: "marks",
          mark: validationMark,
          look: theme.curveValidation,
        },
      ],
      width,
      height,
    ),
  }),
  "learning rate": (state, width, height) => single(state, "learningRate", "learning rate", width, height),
  "gradient norm": (state, width, height) =>
    single(state, "gradientNorm", "gradient norm before clipping", width, height),
  "tokens/s": (state, width, height) => single(state, "speed", "tokens a second", width, height),
  probe: probeView,
  sample: sampleView,
  warnings: ({ warnings }, width, height) => ({
    title: `warnings · ${warnings.length}`,
    legend: [],
    lines:
      warnings.length === 0
        ? [[{ text: "none", look: theme.faint }]]
        : warnings
            .flatMap(({ step, text }) =>
              wrapSpans(
                [
                  { text: `step ${grouped(step)}  `, look: theme.faint },
                  { text: readable(text.replaceAll("\n", " ")), look: theme.warning },
                ],
                Math.max(3, width),
              ),
            )
            .slice(-height),
  }),
};

/** What a panel shows in so many cells and lines, its title apart. */
export const viewPanel = (state: State, panel: Panel, width: number, height: number): PanelView =>
  drawings[panel](state, width, height);

const pointsOf = ({ buckets }: Series): Curve["points"] =>
  buckets.map((bucket) => ({ x: bucket.step, y: meanOf(bucket) }));

function curveLines({ logX, logY }: State, curves: readonly Curve[], width: number, height: number) {
  return chartLines(curves, { width, height, logX, logY });
}

function single(state: State, name: keyof Curves, title: string, width: number, height: number): PanelView {
  const curve: Curve = { points: pointsOf(state.curves[name]), form: "line", look: theme.curveSmooth };
  return {
    title: `${title}${scaleText(state)}`,
    legend: [],
    lines: curveLines(state, [curve], width, height),
  };
}

function scaleText({ logX, logY }: State): string {
  if (!logX && !logY) return "";
  return ` · log ${logX ? "x" : ""}${logY ? "y" : ""}`;
}

/** The newest frame of a prompt's film; a bar shows what the evaluation before had. */
function probeView(state: State, width: number, height: number): PanelView {
  const prompts = [...state.probes.keys()];
  const prompt = prompts[state.probe % Math.max(1, prompts.length)];
  const film = prompt === undefined ? [] : state.probes.get(prompt)!;
  const [now, before] = [film.at(-1), film.at(-2)];
  if (now === undefined) return { title: "probe", legend: [], lines: [[{ text: noProbe(state), look: theme.faint }]] };
  const earlier = new Map(before?.tokens.map(({ text, probability }) => [text, probability]));
  const bars = now.tokens.slice(0, height).map(({ text, probability }) => ({
    text,
    final: probability,
    raw: earlier.get(text) ?? (before === undefined ? probability : 0),
  }));
  const place = prompts.length > 1 ? ` · ${(state.probe % prompts.length) + 1} of ${prompts.length}` : "";
  const token = Math.min(20, Math.max(6, Math.round(width * 0.3)));
  const room = Math.max(1, width - token - 8);
  const scale = scaleFor(bars);
  return {
    title: `after ${label(prompt!)} at step ${grouped(now.step)}${place}`,
    legend: [
      { text: "▓", look: theme.barGained },
      { text: "gained ", look: theme.faint },
      { text: "░", look: theme.barLost },
      { text: "lost", look: theme.faint },
    ],
    lines: bars.map((bar) => barLine(bar, scale, room, token)),
  };
}

function noProbe({ card }: State): string {
  return card === undefined ? "" : "at the first evaluation: the next tokens after the run's probes";
}

function barLine(
  bar: { readonly text: string; readonly raw: number; readonly final: number },
  scale: number,
  room: number,
  token: number,
): readonly Span[] {
  const { same, gained, lost } = barCells(bar, scale, room);
  return [
    { text: `${bar.final.toFixed(4)} `, look: theme.title },
    { text: same, look: theme.barSame },
    { text: gained, look: theme.barGained },
    { text: column(lost, room - same.length - gained.length), look: theme.barLost },
    { text: ` ${truncate(label(bar.text), token)}`, look: theme.plain },
  ];
}

function sampleView({ sample }: State, width: number, height: number): PanelView {
  if (sample === undefined)
    return { title: "sample", legend: [], lines: [[{ text: "at the first evaluation", look: theme.faint }]] };
  const shown = (text: string) => text.split(/\r?\n/).map(readable).join("⏎\n");
  const lines = wrapSpans(
    [
      { text: shown(sample.prompt), look: theme.faint },
      { text: shown(sample.text), look: theme.plain },
    ],
    Math.max(3, width),
  );
  return { title: `sample at step ${grouped(sample.step)}`, legend: [], lines: lines.slice(0, height) };
}
