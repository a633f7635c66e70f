/** @file The bottom of a screen: what is going on, and which keys there are. */
import type { Binding } from "./bindings.ts";
import { readable, textCells, truncate } from "./cells.ts";
import { Line } from "./components.tsx";
import type { Notice } from "./notice.ts";
import { theme } from "./theme.ts";
import type { Span } from "./wrap.ts";

export interface NoticeLineProps {
  readonly notice: Notice;
  /** In cells. */
  readonly width: number;
}

/** `✗ message: hint` */
function NoticeLine({ notice, width }: NoticeLineProps) {
  const isError = notice.kind === "error";
  const whole = readable(notice.text.replaceAll("\n", " "));
  const told = notice.hint === undefined ? "" : ` → ${readable(notice.hint.replaceAll("\n", " "))}`;
  const fits = textCells(whole) + textCells(told) + 2 <= width;
  const [text, hint] = fits ? [whole, told] : [shortPaths(whole), shortPaths(told)];
  // Where both do not fit, the hint is worth more than the message's end.
  const room = Math.max(Math.floor(width / 2), width - 2 - textCells(hint));
  return (
    <Line
      width={width}
      spans={[
        { text: `${isError ? "✗ " : ""}${truncate(text, room)}`, look: isError ? theme.error : theme.busy },
        { text: hint, look: theme.plain },
      ]}
    />
  );
}

/** Long paths by their ends: `…/moby` for `/home/me/checkpoints/moby`. */
const shortPaths = (text: string): string => text.replace(/(?:[^\s/]*\/){2,}(?=[^\s/])/g, "…/");

export interface HintsLineProps {
  readonly bindings: readonly Binding<string, unknown>[];
  readonly page: string;
  /** In cells. */
  readonly width: number;
}

/** The keys of the page, as many as fit: `space step  enter run  …` */
export function HintsLine({ bindings, page, width }: HintsLineProps) {
  const spans: Span[] = [];
  let used = 0;
  for (const { page: of, shown, hint } of bindings) {
    if (of !== page || hint === undefined) continue;
    const key = shown.split("  ")[0]!;
    used += textCells(key) + 1 + hint.length + (spans.length > 0 ? 2 : 0);
    if (used > width) break;
    spans.push(
      { text: `${spans.length > 0 ? "  " : ""}${key}`, look: theme.key },
      { text: ` ${hint}`, look: theme.faint },
    );
  }
  return <Line width={width} spans={spans} />;
}

export interface BottomProps extends HintsLineProps {
  readonly notice: Notice | undefined;
  /** 0: nothing; 1: the notice, or else the keys; 2: both. */
  readonly lines: 0 | 1 | 2;
}

/** The notice above the keys; with one line it takes their place. */
export function Bottom({ notice, lines, ...hints }: BottomProps) {
  if (lines === 0) return null;
  const { width } = hints;
  if (lines === 1 && notice === undefined) return <HintsLine {...hints} />;
  const told = notice === undefined ? <Line width={width} spans={[]} /> : <NoticeLine notice={notice} width={width} />;
  if (lines === 1) return told;
  return (
    <>
      {told}
      <HintsLine {...hints} />
    </>
  );
}
