/** @file The pieces that every screen is made of: lines of styled text, and a rule with a title. */
import { Box, Text } from "ink";
import { createElement } from "react";
import { textCells, truncate } from "./cells.ts";
import type { PanelView } from "./panel.ts";
import { theme } from "./theme.ts";
import type { Span } from "./wrap.ts";

export interface LineProps {
  /** From left to right; what is beyond the width is cut. */
  readonly spans: readonly Span[];
  /** In cells. */
  readonly width: number;
}

/**
 * Exactly one line.
 *
 * It is Ink's own element for text, with a size. A `Text` has none, so Ink measures it, and keeps each text it has ever measured with
 * its size (ink 6.8, measure-text.js): a screen whose figures change many times a second would grow by megabytes an hour.
 */
export function Line({ spans, width }: LineProps) {
  const children =
    spans.length === 0
      ? " "
      : cutSpans(spans, width).map(({ text, look }, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a span has no identity but its place.
          <Text key={index} {...look}>
            {text}
          </Text>
        ));
  return (
    <Box width={width} height={1} flexShrink={0}>
      {createElement("ink-text", { style: { width, height: 1, textWrap: "truncate-end" } }, children)}
    </Box>
  );
}

export interface LinesProps {
  readonly lines: readonly (readonly Span[])[];
  /** In cells. */
  readonly width: number;
  /** Lines that the piece takes; what is beyond is left out. */
  readonly height: number;
}

/** A block of lines of a fixed height. */
export function Lines({ lines, width, height }: LinesProps) {
  return (
    <Box flexDirection="column" width={width} height={height} flexShrink={0}>
      {lines.slice(0, height).map((spans, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a line has no identity but its place.
        <Line key={index} spans={spans} width={width} />
      ))}
    </Box>
  );
}

export interface RuleProps {
  readonly title: string;
  /** Shown at the right end where there is room. */
  readonly legend?: readonly Span[];
  /** In cells. */
  readonly width: number;
}

/** `── title ────── legend ──` */
export function Rule({ title, legend = [], width }: RuleProps) {
  const head = `─ ${truncate(title, width - 4)} `;
  const tail = legend.reduce((sum, { text }) => sum + textCells(text), 0) + 3;
  const fits = legend.length > 0 && textCells(head) + tail + 3 <= width;
  const fill = "─".repeat(Math.max(0, width - textCells(head) - (fits ? tail : 0)));
  const end: readonly Span[] = fits
    ? [{ text: " ", look: theme.plain }, ...legend, { text: " ─", look: theme.faint }]
    : [];
  return <Line width={width} spans={[{ text: head + fill, look: theme.faint }, ...end]} />;
}

/** Cuts a row of spans to a width, with `…` where something was cut. */
function cutSpans(spans: readonly Span[], width: number): readonly Span[] {
  let left = width;
  const kept: Span[] = [];
  for (const span of spans) {
    const cells = textCells(span.text);
    kept.push(cells <= left ? span : { ...span, text: truncate(span.text, left) });
    left -= cells;
    if (left < 0) break;
  }
  return kept;
}

export interface PanelProps {
  readonly view: PanelView;
  /** In cells. */
  readonly width: number;
  /** Lines, the title's included: with fewer than three there is none. */
  readonly height: number;
}

/** A panel below its title. */
export function Panel({ view, width, height }: PanelProps) {
  const rule = titleLines(height);
  return (
    <>
      {rule > 0 && <Rule width={width} title={view.title} legend={view.legend} />}
      <Lines lines={view.lines} width={width} height={height - rule} />
    </>
  );
}

/** Lines that a panel's title takes. */
export const titleLines = (height: number): 0 | 1 => (height >= 3 ? 1 : 0);
