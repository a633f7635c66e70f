/** @file All keys of a screen, from its table of keys. */
import { Box } from "ink";
import type { Binding, PageTitle } from "./bindings.ts";
import { column } from "./cells.ts";
import { Line, Rule } from "./components.tsx";
import { theme } from "./theme.ts";
import { type Span, wrapSpans } from "./wrap.ts";

export interface HelpPageProps {
  readonly bindings: readonly Binding<string, unknown>[];
  /** In the order in which they are listed. */
  readonly titles: readonly PageTitle<string>[];
  /** First line shown; beyond the last screenful it is the last screenful. */
  readonly top: number;
  readonly lines: number;
  /** In cells. */
  readonly width: number;
}

/** A rule that tells where one is, then one line a key. */
export function HelpPage({ bindings, titles, top, lines, width }: HelpPageProps) {
  const all = helpLines(bindings, titles, width);
  const room = Math.max(1, lines - 1);
  const first = Math.max(0, Math.min(top, all.length - room));
  const more = all.length - room - first;
  return (
    <Box flexDirection="column" height={lines} flexShrink={0}>
      <Rule width={width} title={more > 0 ? `help · ${more} more below` : "help"} />
      {all.slice(first, first + room).map((spans, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a line has no identity but its place.
        <Line key={index} spans={spans} width={width} />
      ))}
    </Box>
  );
}

function helpLines(
  bindings: HelpPageProps["bindings"],
  titles: HelpPageProps["titles"],
  width: number,
): readonly (readonly Span[])[] {
  const listed = new Set<string>();
  /** Keys that mean the same on several pages stand under the first. */
  const isNew = ({ shown, does }: HelpPageProps["bindings"][number]): boolean => {
    const line = `${shown} ${does}`;
    if (listed.has(line)) return false;
    listed.add(line);
    return true;
  };
  return titles.flatMap(({ page, title }, index) => [
    ...(index > 0 ? [[]] : []),
    [{ text: title, look: theme.title }],
    ...bindings
      .filter((binding) => binding.page === page && isNew(binding))
      .flatMap(({ shown, does }) => bindingLines(shown, does, width)),
  ]);
}

/** The keys beside what they do; what is longer goes on below. */
function bindingLines(shown: string, does: string, width: number): readonly (readonly Span[])[] {
  const keysWidth = width >= 60 ? 18 : 12;
  return wrapSpans([{ text: does, look: theme.plain }], Math.max(3, width - keysWidth)).map((spans, index) => [
    { text: column(index === 0 ? shown : "", keysWidth), look: theme.key },
    ...spans,
  ]);
}
