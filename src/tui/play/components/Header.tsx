/** @file The top of the play screen: which model, which settings. */
import { readable, textCells, truncate } from "../../cells.ts";
import { Line } from "../../components.tsx";
import { grouped, shortCount } from "../../numbers.ts";
import { theme } from "../../theme.ts";
import type { Span } from "../../wrap.ts";
import { dialTable } from "../dials.ts";
import type { ModelCard, Settings } from "../port.ts";
import { type Dial, defaultSettings, dials, dialText } from "../settings.ts";

export interface CardLineProps {
  /** Undefined while the model is loading. */
  readonly card: ModelCard | undefined;
  /** In cells. */
  readonly width: number;
}

/** `softbox play  moby · step 500 · mos:4 · native · 1.2 M parameters`, as many facts as fit. */
export function CardLine({ card, width }: CardLineProps) {
  if (card === undefined) return <Line width={width} spans={[{ text: "softbox play", look: theme.title }]} />;
  const facts = [
    `step ${grouped(card.step)}`,
    card.head,
    card.engine,
    `${shortCount(card.parameters)} parameters`,
    `${grouped(card.vocabSize)} tokens`,
  ];
  const run = truncate(readable(card.run), Math.max(1, width - textCells(facts[0]!) - 3));
  const spans: Span[] = [{ text: run, look: theme.title }];
  let used = textCells(run);
  for (const fact of facts.map((text) => ` · ${readable(text)}`)) {
    used += textCells(fact);
    if (used > width) break;
    spans.push({ text: fact, look: theme.plain });
  }
  const program: readonly Span[] = used + 14 <= width ? [{ text: "softbox play  ", look: theme.faint }] : [];
  return <Line width={width} spans={[...program, ...spans]} />;
}

export interface SettingsLineProps {
  readonly settings: Settings;
  /** The kind of the repair that is in force, once it is known. */
  readonly repair: string | undefined;
  /** The one that the arrows turn. */
  readonly dial: Dial;
  readonly running: boolean;
  /** In cells. */
  readonly width: number;
}

/** `temperature 0.80  top-k off  top-p 0.95  min-p off  ▶ running  seed 1` */
export function SettingsLine({ settings, repair, dial: turned, running, width }: SettingsLineProps) {
  const wide = width >= 72;
  const gap = wide ? "  " : " ";
  const shown = dials.flatMap((dial): readonly Span[] => {
    const { name, short } = dialTable[dial];
    const isOther = short === undefined;
    if (isOther && settings[dial] === defaultSettings[dial] && dial !== turned) return [];
    return [
      { text: `${wide || isOther ? name : short} `, look: dial === turned ? theme.chosen : theme.plain },
      { text: dialText(settings, dial) + gap, look: dialText(settings, dial) === "off" ? theme.faint : theme.value },
    ];
  });
  const seed: Span = { text: `${wide ? "seed" : "s"} ${settings.seed}`, look: theme.plain };
  const calibrated = repair !== undefined && width >= 100 ? `calibrated by ${repair}` : wide ? "calibrated" : "cal";
  const repaired: readonly Span[] = settings.calibrated ? [{ text: `${calibrated}${gap}`, look: theme.value }] : [];
  const state: Span = running
    ? { text: `${wide ? "▶ running" : "▶"}${gap}`, look: theme.busy }
    : { text: "", look: theme.plain };
  return <Line width={width} spans={[...shown, ...repaired, state, seed]} />;
}
