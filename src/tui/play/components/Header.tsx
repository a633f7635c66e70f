/** @file The top of the play screen: which model, which settings. */
import { Line } from "../../components.tsx";
import { theme } from "../../theme.ts";
import type { Span } from "../../wrap.ts";
import type { ModelCard, Settings } from "../port.ts";
import { type Dial, dialText } from "../settings.ts";

export interface CardLineProps {
  /** Undefined while the model is loading. */
  readonly card: ModelCard | undefined;
  /** In cells. */
  readonly width: number;
}

/** `softbox play  moby · step 500 · mos:4 · 1.2 M parameters · native` */
export function CardLine({ card, width }: CardLineProps) {
  if (card === undefined) return <Line width={width} spans={[{ text: "softbox play", look: theme.title }]} />;
  const facts = [
    `step ${card.step.toLocaleString("en")}`,
    card.head,
    `${shortCount(card.parameters)} parameters`,
    card.engine,
  ];
  const spans: Span[] = [
    { text: width >= 60 ? "softbox play  " : "", look: theme.faint },
    { text: card.run, look: theme.title },
    ...facts.map((text) => ({ text: ` · ${text}`, look: theme.plain })),
  ];
  return <Line width={width} spans={spans} />;
}

export interface SettingsLineProps {
  readonly settings: Settings;
  readonly running: boolean;
  /** In cells. */
  readonly width: number;
}

const names: readonly { readonly dial: Dial; readonly long: string; readonly short: string }[] = [
  { dial: "temperature", long: "temperature", short: "T" },
  { dial: "topK", long: "top-k", short: "k" },
  { dial: "topP", long: "top-p", short: "p" },
  { dial: "minP", long: "min-p", short: "m" },
];

/** `temperature 0.80  top-k off  top-p 0.95  min-p off  seed 1  ▶ running` */
export function SettingsLine({ settings, running, width }: SettingsLineProps) {
  const wide = width >= 72;
  const gap = wide ? "  " : " ";
  const dials = names.flatMap(({ dial, long, short }): readonly Span[] => [
    { text: `${wide ? long : short} `, look: theme.plain },
    { text: dialText(settings, dial) + gap, look: dialText(settings, dial) === "off" ? theme.faint : theme.value },
  ]);
  const seed: Span = { text: `${wide ? "seed" : "s"} ${settings.seed}${gap}`, look: theme.plain };
  const state: Span = running ? { text: wide ? "▶ running" : "▶", look: theme.busy } : { text: "", look: theme.plain };
  return <Line width={width} spans={[...dials, seed, state]} />;
}

/** 1,234,567 as `1.2 M`. */
function shortCount(count: number): string {
  if (count >= 1e9) return `${(count / 1e9).toFixed(1)} G`;
  if (count >= 1e6) return `${(count / 1e6).toFixed(1)} M`;
  return count >= 1e4 ? `${Math.round(count / 1e3)} k` : String(count);
}
