/** @file The text so far, each token in the colour of its probability; only its end, as far as there is room. */
import { Box } from "ink";
import { readable } from "../../cells.ts";
import { Line, Rule } from "../../components.tsx";
import { tokenCount } from "../../numbers.ts";
import { type Look, likelihoodLook, likelihoods, theme } from "../../theme.ts";
import { type Span, wrapSpans } from "../../wrap.ts";
import type { Snapshot, TextToken } from "../port.ts";

export interface TextPanelProps {
  /** Undefined while the model is loading. */
  readonly snapshot: Snapshot | undefined;
  /** In tokens; undefined while the model is loading. */
  readonly contextLength: number | undefined;
  /** Whether to draw the rule above. */
  readonly rule: boolean;
  /** Lines of text, in a window of `width` cells. */
  readonly lines: number;
  readonly width: number;
}

/** The rule, then the last lines of the text. */
export function TextPanel({ snapshot, contextLength, rule, lines, width }: TextPanelProps) {
  const tokens = snapshot?.tokens ?? [];
  const seen = snapshot?.windowed === true && contextLength !== undefined ? `, the last ${contextLength} seen` : "";
  const omitted = snapshot?.omitted ?? 0;
  const shown = textLines(tokens, lines, width, omitted);
  return (
    <Box flexDirection="column" height={lines + (rule ? 1 : 0)} flexShrink={0}>
      {rule && <Rule width={width} title={`text · ${tokenCount(omitted + tokens.length)}${seen}`} legend={legend} />}
      {shown.map((spans, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a line has no identity but its place.
        <Line key={index} spans={spans} width={width} />
      ))}
    </Box>
  );
}

const legend: readonly Span[] = likelihoods.flatMap(({ name, look }, index) => [
  ...(index > 0 ? [{ text: " ", look: theme.plain }] : []),
  { text: name, look },
]);
const caret: Span = { text: "▏", look: theme.faint };
const breakMark: Span = { text: "⏎\n", look: theme.faint };
/** The text is wrapped anew from a token that stays the same this long, so that its lines stand still. */
const anchorEvery = 256;

/**
 * The last `lines` lines of the text.
 *
 * @param tokens - the text; only its last screenfuls are looked at.
 * @param omitted - tokens of the text before these.
 */
export function textLines(
  tokens: readonly TextToken[],
  lines: number,
  width: number,
  omitted = 0,
): readonly (readonly Span[])[] {
  const spans = tailOf(tokens, lines * width, omitted).flatMap(tokenSpans);
  return wrapSpans([...spans, caret], Math.max(3, width)).slice(-lines);
}

/** Enough tokens from the end to fill `cells` cells, from a place in the text that stays for many tokens. */
function tailOf(tokens: readonly TextToken[], cells: number, omitted: number): readonly TextToken[] {
  let start = tokens.length;
  for (let length = 0; start > 0 && length <= cells; start--) length += Math.max(1, tokens[start - 1]!.text.length);
  const anchor = Math.floor((omitted + start) / anchorEvery) * anchorEvery;
  return tokens.slice(Math.max(0, anchor - omitted));
}

/** A token in its look; a line break shows its mark. */
export function tokenSpans(token: TextToken): readonly Span[] {
  const look = tokenLook(token);
  return token.text.split(/\r?\n/).flatMap((part, index) => {
    const piece = { text: readable(part), look };
    return index === 0 ? [piece] : [{ ...breakMark, look: { ...look, ...breakMark.look } }, piece];
  });
}

function tokenLook({ probability, source }: TextToken): Look {
  if (probability === undefined) return theme.plain;
  const look = likelihoodLook(probability);
  return source === "picked" ? { ...look, inverse: true } : look;
}
