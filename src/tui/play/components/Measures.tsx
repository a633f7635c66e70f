/** @file Numbers about the whole distribution: entropy, effective vocabulary, mixture weights. */
import { Line, Rule } from "../../components.tsx";
import { effectiveVocabulary, grouped, nats } from "../../numbers.ts";
import { sparkline } from "../../sparkline.ts";
import { theme } from "../../theme.ts";
import type { Span } from "../../wrap.ts";
import type { NextView, TextToken } from "../port.ts";

export interface EntropyRuleProps {
  /** Undefined while the model is loading. */
  readonly next: NextView | undefined;
  readonly vocabSize: number | undefined;
  /** In cells. */
  readonly width: number;
}

/** `─ next token · entropy 2.10 nats, raw 3.00 · effective vocabulary 8.2, raw 20.1 of 65 ──`; effective is exp(H). */
export function EntropyRule({ next, vocabSize, width }: EntropyRuleProps) {
  if (next === undefined) return <Rule width={width} title="next token" />;
  const { entropy: raw, finalEntropy: final } = next;
  const [finalWords, rawWords] = [effectiveVocabulary(final), effectiveVocabulary(raw)];
  const of = vocabSize === undefined ? "" : ` of ${grouped(vocabSize)}`;
  const titles = [
    `next token · entropy ${nats(final)} nats, raw ${nats(raw)} · effective vocabulary ${finalWords}, raw ${rawWords}${of}`,
    `entropy ${nats(final)} nats (≈ ${finalWords} tokens), raw ${nats(raw)} (≈ ${rawWords})`,
    `H ${nats(final)} ≈ ${finalWords} tokens, raw ${nats(raw)} ≈ ${rawWords}`,
    `H ${nats(final)} nats, raw ${nats(raw)}`,
  ];
  return <Rule width={width} title={titles.find((title) => title.length + 4 <= width) ?? titles.at(-1)!} />;
}

export interface MixtureLineProps {
  /** The weights π_k; they sum to 1. */
  readonly weights: readonly number[];
  /** In cells. */
  readonly width: number;
}

/** `mixture π ▆0.61 ▃0.30 ▁0.09` */
export function MixtureLine({ weights, width }: MixtureLineProps) {
  const spans = weights.flatMap((weight): readonly Span[] => [
    { text: ` ${sparkline([weight], 1)}`, look: theme.barSame },
    { text: weight.toFixed(2), look: theme.plain },
  ]);
  return <Line width={width} spans={[{ text: "mixture π", look: theme.faint }, ...spans]} />;
}

export interface SurpriseLineProps {
  readonly tokens: readonly TextToken[];
  /** In cells. */
  readonly width: number;
}

/** A surprise of so many nats is a full block: a token of probability e⁻⁸. */
const fullSurprise = 8;

/** `surprise ▁▂▇▃  mean 2.31 nats`: −ln p of the last tokens that were chosen, one cell each. */
export function SurpriseLine({ tokens, width }: SurpriseLineProps) {
  const surprises = tokens.flatMap(({ probability }) => (probability === undefined ? [] : [-Math.log(probability)]));
  if (surprises.length === 0) return <Line width={width} spans={[{ text: "surprise", look: theme.faint }]} />;
  const mean = surprises.reduce((sum, surprise) => sum + surprise, 0) / surprises.length;
  const tail = `  mean ${nats(mean)} nats`;
  const shown = surprises.slice(-Math.max(1, width - 9 - tail.length));
  return (
    <Line
      width={width}
      spans={[
        { text: "surprise ", look: theme.faint },
        { text: sparkline(shown, fullSurprise), look: theme.barSame },
        { text: tail, look: theme.faint },
      ]}
    />
  );
}
