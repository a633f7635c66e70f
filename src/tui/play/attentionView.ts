/** @file Attention weights as a map of half-block cells: a cell is two queries of one key. */
import { column, label, truncate } from "../cells.ts";
import type { PanelView } from "../panel.ts";
import { heat, type Look, theme } from "../theme.ts";
import type { Span } from "../wrap.ts";
import type { Insight } from "./port.ts";

type Attention = Extract<Insight, { readonly kind: "attention" }>;

/** A weight from here on has the next colour. */
const thresholds = [0.02, 0.1, 0.25, 0.5];
const namesWidth = 10;
/** Looks are shared, so that neighbours of one look join: by the levels of the upper and the lower half. */
const looks: readonly (readonly Look[])[] = heat.map((color) =>
  heat.map((backgroundColor) => ({ color, backgroundColor })),
);

/** The last queries below each other, the last keys side by side, and in words where the last token looks. */
export function attentionView(insight: Attention, width: number, height: number): PanelView {
  const { tokens, weights, layer, head, layers, heads } = insight;
  const rows = Math.max(1, height - 1);
  const queries = Math.min(weights.length, rows * 2);
  const keys = Math.min(tokens.length, Math.max(1, width - namesWidth - 1));
  const firstQuery = weights.length - queries;
  const firstKey = tokens.length - keys;
  const lines = Array.from({ length: Math.ceil(queries / 2) }, (_, row) => {
    const upper = firstQuery + 2 * row;
    const name = [upper, upper + 1].flatMap((at) => tokens[at] ?? []).map(label);
    return [
      { text: `${column(name.join(" "), namesWidth)} `, look: theme.faint },
      ...mapSpans(weights[upper]!.slice(firstKey), (weights[upper + 1] ?? []).slice(firstKey), keys),
    ];
  });
  return {
    title: `attention · layer ${layer + 1}/${layers}, head ${head + 1}/${heads}`,
    legend: [
      { text: "↑↓ layer ←→ head ", look: theme.faint },
      ...heat.slice(1).map((color, level) => ({ text: `▀${thresholds[level]} `, look: { color } })),
    ],
    lines: [lastLooks(insight, width), ...lines],
  };
}

function mapSpans(upper: readonly number[], lower: readonly number[], keys: number): readonly Span[] {
  const spans: { text: string; look: Look }[] = [];
  for (let key = 0; key < keys; key++) {
    const look = looks[levelOf(upper[key] ?? 0)]![levelOf(lower[key] ?? 0)]!;
    const last = spans.at(-1);
    if (last?.look === look) last.text += "▀";
    else spans.push({ text: "▀", look });
  }
  return spans;
}

const levelOf = (weight: number): number => thresholds.filter((threshold) => weight >= threshold).length;

/** `␣sea looks at ␣the 0.41, ␣deep 0.22, …` */
function lastLooks({ tokens, weights }: Attention, width: number): readonly Span[] {
  const row = weights.at(-1) ?? [];
  const best = [...row.keys()].sort((a, b) => row[b]! - row[a]!).slice(0, 8);
  const words = best.map((key) => `${label(tokens[key]!)} ${row[key]!.toFixed(2)}`);
  return [{ text: truncate(`${label(tokens.at(-1) ?? "")} looks at ${words.join(", ")}`, width), look: theme.plain }];
}
