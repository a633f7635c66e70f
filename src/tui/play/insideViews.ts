/** @file The pages about the inside of the model, each as lines of styled text. */
import { barCells, scaleFor } from "../bars.ts";
import { column, label, textCells, truncate } from "../cells.ts";
import type { Notice } from "../notice.ts";
import { effectiveVocabulary, grouped, nats } from "../numbers.ts";
import type { PanelView } from "../panel.ts";
import { sparkline } from "../sparkline.ts";
import { likelihoodLook, theme } from "../theme.ts";
import type { Span } from "../wrap.ts";
import { attentionView } from "./attentionView.ts";
import { type InsidePage, insightOf } from "./inside.ts";
import type { FilmFrame, Insight, Likely, NextView } from "./port.ts";
import type { State } from "./state.ts";

type Draw<K extends InsidePage> = (
  state: State,
  insight: Extract<Insight, { readonly kind: K }>,
  width: number,
  height: number,
) => PanelView;

const drawings: { readonly [K in InsidePage]: Draw<K> } = {
  mixture: (_, { components }, width) => ({
    title: `mixture · ${components.length} components, weight π and likeliest tokens of each`,
    legend: [],
    lines: components.map(({ weight, tokens = [] }, index) => [
      { text: `${String(index + 1).padStart(2)} π ${weight.toFixed(4)} `, look: theme.title },
      { text: column("█".repeat(Math.round(weight * 16)), 16), look: theme.barSame },
      ...likelySpans(tokens, width - 28),
    ]),
  }),
  attention: (_, insight, width, height) => attentionView(insight, width, height),
  lens: (_, { rows }, width) => ({
    title: "logit lens · what each layer would say next",
    legend: [],
    lines: rows.map(({ layer, entropy, tokens }, index) => [
      {
        text: column(index === 0 ? "input" : index === rows.length - 1 ? "output" : `layer ${layer}`, 9),
        look: theme.title,
      },
      { text: `H ${nats(entropy)} `, look: theme.faint },
      ...likelySpans(tokens, width - 16),
    ]),
  }),
  film: filmView,
  peer: (state, { name, next }, width, height) => peerView(state, name, next, width, height),
};

/** The page in so many cells and lines, its title apart. */
export function viewInside(state: State, page: InsidePage, width: number, height: number): PanelView {
  const insight = insightOf(state);
  if (insight === undefined) return told(page, { text: "computing …", look: theme.busy });
  if (isNotice(insight)) {
    const { text, hint } = insight;
    return told(page, { text: hint === undefined ? text : `${text} → ${hint}`, look: theme.warning });
  }
  const draw = drawings[page] as Draw<InsidePage>;
  return draw(state, insight, width, height);
}

const isNotice = (insight: Insight | Notice): insight is Notice => insight.kind === "error" || insight.kind === "info";

const told = (title: string, span: Span): PanelView => ({ title, legend: [], lines: [[span]] });

/** `␣the 0.31  ␣a 0.12 …`, as many as fit, in the colours of their probability. */
function likelySpans(tokens: readonly Likely[], width: number): readonly Span[] {
  const spans: Span[] = [];
  let used = 0;
  for (const { text, probability } of tokens) {
    const shown = ` ${truncate(label(text), 14)}`;
    const number = ` ${probability.toFixed(2)} `;
    used += textCells(shown) + number.length;
    if (used > width) break;
    spans.push({ text: shown, look: likelihoodLook(probability) }, { text: number, look: theme.faint });
  }
  return spans;
}

/** One frame, the one before as its ghost, and each token's way over all frames. */
function filmView(
  { inside }: State,
  { frames }: Extract<Insight, { readonly kind: "film" }>,
  width: number,
  height: number,
): PanelView {
  const place = Math.max(0, frames.length - 1 - inside.frame);
  const [frame, before] = [frames[place], frames[place - 1]];
  if (frame === undefined)
    return told("film", { text: "the run has no checkpoint and no probe with this text", look: theme.faint });
  const spark = Math.min(frames.length, 24, Math.floor(width / 4));
  const token = Math.min(16, Math.max(6, Math.floor(width * 0.25)));
  const room = Math.max(1, width - token - spark - 10);
  const bars = frame.tokens.slice(0, height).map(({ text, probability }) => ({
    text,
    final: probability,
    raw: before === undefined ? probability : probabilityIn(before, text),
  }));
  const scale = scaleFor(bars);
  const first = Math.max(0, Math.min(place - spark + 1, frames.length - spark));
  return {
    title: `film · step ${grouped(frame.step)}, frame ${place + 1} of ${frames.length}`,
    legend: [{ text: "bars: now and the frame before; then over the steps", look: theme.faint }],
    lines: bars.map((bar) => {
      const { same, gained, lost } = barCells(bar, scale, room);
      const way = frames.slice(first, first + spark).map((one) => probabilityIn(one, bar.text));
      return [
        { text: `${bar.final.toFixed(4)} `, look: theme.title },
        { text: same, look: theme.barSame },
        { text: gained, look: theme.barGained },
        { text: column(lost, room - same.length - gained.length), look: theme.barLost },
        { text: ` ${sparkline(way, Math.max(...way, 1e-9))} `, look: theme.value },
        { text: truncate(label(bar.text), token), look: theme.plain },
      ];
    }),
  };
}

const probabilityIn = ({ tokens }: FilmFrame, text: string): number =>
  tokens.find((token) => token.text === text)?.probability ?? 0;

/** The distribution at hand on the left, the other one on the right, each in its own order. */
function peerView(state: State, name: string, right: NextView, width: number, height: number): PanelView {
  const left = state.snapshot?.next;
  const half = Math.floor((width - 1) / 2);
  if (left === undefined) return told("side by side", { text: "", look: theme.plain });
  const scale = scaleFor([...left.candidates, ...right.candidates].map(({ final }) => ({ raw: final, final })));
  const here = `temperature ${state.settings.temperature.toFixed(2)}, step ${grouped(state.card?.step ?? 0)}`;
  const heads: readonly Span[] = [
    { text: column(headOf(here, left), half + 1), look: theme.value },
    { text: truncate(headOf(name, right), half), look: theme.busy },
  ];
  const rows = Array.from({ length: Math.max(0, height - 1) }, (_, row) => [
    ...halfRow(left, row, scale, half),
    { text: " ", look: theme.plain },
    ...halfRow(right, row, scale, half),
  ]);
  return {
    title: `side by side · ${name}`,
    legend: [{ text: "← → change it, tab something else", look: theme.faint }],
    lines: [heads, ...rows],
  };
}

const headOf = (name: string, { finalEntropy }: NextView): string =>
  `${name} · H ${nats(finalEntropy)} ≈ ${effectiveVocabulary(finalEntropy)}`;

function halfRow({ candidates }: NextView, row: number, scale: number, width: number): readonly Span[] {
  const candidate = candidates[row];
  if (candidate === undefined) return [{ text: " ".repeat(width), look: theme.plain }];
  const { text, final, kept } = candidate;
  const token = Math.min(14, Math.max(5, Math.floor(width * 0.35)));
  const room = Math.max(1, width - token - 8);
  const { same } = barCells({ raw: final, final }, scale, room);
  const look = kept ? theme.plain : theme.filtered;
  return [
    { text: `${kept ? final.toFixed(4) : "cut   "} `, look: kept ? theme.title : look },
    { text: column(same, room), look: theme.barSame },
    { text: ` ${column(label(text), token)}`, look },
  ];
}
