/**
 * @file Text made safe for a terminal, and its width in cells.
 *
 * Terminals disagree about emoji sequences and young characters, so widths here are upper bounds: code points are
 * added up, and what joins into a narrower sign on a clever terminal only leaves a little room.
 */

const invisible = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\u115F\u1160\u3164\p{Variation_Selector}]/gu;
const joiners = /^[\p{Cf}\p{Variation_Selector}]$/u;
const unusualSpaces = /(?! )\p{Zs}/gu;
const printableAscii = /^[\x20-\x7e]*$/;
const zeroWide = /^(?!\u20E3)[\p{Mn}\p{Me}]$/u;
const doubleWide =
  /^[\p{Emoji_Presentation}\p{Regional_Indicator}\u1100-\u115F\u2329\u232A\u2630-\u2637\u268A-\u268F\u2E80-\u303E\u3041-\uA4CF\uA960-\uA97F\uAC00-\uD7A3\uF900-\uFAFF\uFE10-\uFE19\uFE30-\uFE6F\uFF01-\uFF60\uFFE0-\uFFE6\u{16FE0}-\u{18DFF}\u{1AFF0}-\u{1B2FF}\u{1D300}-\u{1D376}\u{1F000}-\u{1FBFF}\u{20000}-\u{3FFFD}]$/u;

/** Cells that one code point takes: 0 (a combining mark), 1 or 2. */
export function characterCells(character: string): 0 | 1 | 2 {
  if (printableAscii.test(character)) return 1;
  if (zeroWide.test(character)) return 0;
  return doubleWide.test(character) ? 2 : 1;
}

/** Cells that a text without control characters takes, at most. */
export function textCells(text: string): number {
  if (printableAscii.test(text)) return text.length;
  let cells = 0;
  for (const character of text) cells += characterCells(character);
  return cells;
}

/** The text as it reads: control bytes become signs, joiners and direction marks vanish, line breaks become `⏎`. */
export function readable(text: string): string {
  if (printableAscii.test(text)) return text;
  return text.replace(invisible, (character) => (joiners.test(character) ? "" : sign(character)));
}

/** A text for plain output: as {@link readable}, but line breaks and tabs stay what they are. */
export function printable(text: string): string {
  return text
    .split(/(\r?\n|\t)/)
    .map((part, index) => (index % 2 === 0 ? readable(part) : part))
    .join("");
}

/** The text with everything invisible made visible, outer spaces too: ` the` is `␣the`, an empty one `∅`. */
export function label(text: string): string {
  if (text === "") return "∅";
  const visible = text.replace(invisible, sign).replace(unusualSpaces, escapeCode);
  return visible.replace(/^ +| +$/g, (spaces) => "␣".repeat(spaces.length));
}

/** The text cut to at most `cells` cells, ending in `…` where something was cut. */
export function truncate(text: string, cells: number): string {
  if (textCells(text) <= cells) return text;
  if (cells < 1) return "";
  let used = 1;
  let kept = "";
  for (const character of text) {
    used += characterCells(character);
    if (used > cells) break;
    kept += character;
  }
  return `${kept}…`;
}

/** The text cut or filled with spaces to `cells` cells. */
export function column(text: string, cells: number): string {
  const cut = truncate(text, cells);
  return cut + " ".repeat(Math.max(0, cells - textCells(cut)));
}

function sign(character: string): string {
  const code = character.codePointAt(0)!;
  if (character === "\n") return "⏎";
  if (character === "\t") return "⇥";
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  if (code === 0x7f) return "␡";
  if (code >= 0xd800 && code <= 0xdfff) return "\uFFFD";
  return escapeCode(character);
}

function escapeCode(character: string): string {
  const hex = character.codePointAt(0)!.toString(16);
  return hex.length <= 2 ? `\\x${hex.padStart(2, "0")}` : `\\u{${hex}}`;
}
