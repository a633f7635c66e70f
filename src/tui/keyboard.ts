/**
 * @file What a terminal sends, as keys. Pure: knows no stream and no screen.
 *
 * Ink's own `useInput` is not used: Ink 6.8.0 throws on key sequences that it does not know (Ctrl-F1), and hands a
 * paste over as if it had been typed.
 */

/** A key, a typed character or a pasted text. */
export type Key =
  | { readonly type: "key"; readonly name: KeyName }
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "paste"; readonly text: string };

/** Keys that are not characters. */
export type KeyName =
  | "left"
  | "right"
  | "up"
  | "down"
  | "home"
  | "end"
  | "pageup"
  | "pagedown"
  | "delete"
  | "backspace"
  | "enter"
  | "newline"
  | "tab"
  | "shift-tab"
  | "escape"
  | `ctrl-${string}`;

/** What comes back from {@link readKeys}. */
export interface KeysRead {
  readonly keys: readonly Key[];
  /** The beginning of an unfinished sequence: put it before the next piece of input. */
  readonly rest: string;
}

const pasteStart = "\x1b[200~";
const pasteEnd = "\x1b[201~";
// biome-ignore lint/suspicious/noControlCharactersInRegex: terminals speak in control characters.
const sequence = /^\x1b(?:\[\[?[0-9:;<=>?]*[ -/]*[@-~]|O[@-~])/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: terminals speak in control characters.
const unfinished = /^\x1b(?:\[\[?[0-9:;<=>?]*[ -/]*|O)?$/;

const sequenceNames: Readonly<Record<string, KeyName>> = {
  "[A": "up",
  "[B": "down",
  "[C": "right",
  "[D": "left",
  "[H": "home",
  "[F": "end",
  "[Z": "shift-tab",
  "[1~": "home",
  "[3~": "delete",
  "[4~": "end",
  "[5~": "pageup",
  "[6~": "pagedown",
  "[7~": "home",
  "[8~": "end",
};

const controlNames: Readonly<Record<string, KeyName>> = {
  "\r": "enter",
  "\n": "newline",
  "\t": "tab",
  "\b": "backspace",
  "\x7f": "backspace",
};

/**
 * Reads a piece of terminal input.
 *
 * @param input - `rest` of the call before, then what the terminal sent now.
 * @returns the keys in order; unknown sequences give none.
 */
export function readKeys(input: string): KeysRead {
  if (isBarePaste(input)) return { keys: [{ type: "paste", text: input }], rest: "" };
  const keys: Key[] = [];
  let at = 0;
  while (at < input.length) {
    const here = input.slice(at);
    const piece = here.startsWith("\x1b") ? readEscape(here) : readCharacter(here);
    if (piece === undefined) return { keys, rest: here };
    if (piece.key !== undefined) keys.push(piece.key);
    at += piece.length;
  }
  return { keys, rest: "" };
}

/** What `rest` means when nothing follows it: the escape key, or nothing. */
export function flushKeys(rest: string): readonly Key[] {
  return rest === "\x1b" ? [{ type: "key", name: "escape" }] : [];
}

/** Whether `rest` is the inside of a paste, which may take its time. */
export function isInsidePaste(rest: string): boolean {
  return rest.startsWith(pasteStart);
}

/** What a paste may bring into a text: line breaks and tabs stay, other control characters go. */
export function pastedText(text: string): string {
  return text.replace(/\r\n?/g, "\n").replace(/(?![\n\t])\p{Cc}/gu, "");
}

interface Piece {
  readonly key?: Key;
  readonly length: number;
}

/** Several lines at once from a terminal without bracketed paste: nobody types that fast. */
function isBarePaste(input: string): boolean {
  return input.length >= 8 && !input.includes("\x1b") && /[\r\n]+[^\r\n\p{Cc}]/u.test(input);
}

function readCharacter(input: string): Piece {
  const character = String.fromCodePoint(input.codePointAt(0)!);
  const name = controlNames[character];
  if (name !== undefined) return { key: { type: "key", name }, length: 1 };
  const code = character.charCodeAt(0);
  if (code === 0) return { length: 1 };
  if (code < 0x1b) return { key: { type: "key", name: `ctrl-${String.fromCharCode(code + 0x60)}` }, length: 1 };
  if (code < 0x20) return { length: 1 };
  return { key: { type: "text", text: character }, length: character.length };
}

function readEscape(input: string): Piece | undefined {
  if (input.startsWith(pasteStart)) return readPaste(input);
  if (unfinished.test(input)) return undefined;
  const found = sequence.exec(input)?.[0];
  if (found === undefined) return readAlt(input);
  const name = sequenceNames[plainSequence(found)];
  return name === undefined ? { length: found.length } : { key: { type: "key", name }, length: found.length };
}

/** Alt-enter breaks a line, escape twice is escape; no other key with Alt means anything. */
function readAlt(input: string): Piece {
  const character = String.fromCodePoint(input.codePointAt(1)!);
  if (character === "\r") return { key: { type: "key", name: "newline" }, length: 2 };
  if (character === "\x1b") return { key: { type: "key", name: "escape" }, length: 1 };
  return { length: 1 + character.length };
}

function readPaste(input: string): Piece | undefined {
  const end = input.indexOf(pasteEnd);
  if (end < 0) return undefined;
  return { key: { type: "paste", text: input.slice(pasteStart.length, end) }, length: end + pasteEnd.length };
}

/** `ESC O A` and `ESC [1;2A` (an arrow with a modifier) are both `[A`. */
function plainSequence(found: string): string {
  const body = found.slice(1).replace(/^O/, "[");
  return body.replace(/^\[1;\d+([A-Z])$/, "[$1").replace(/^\[(\d+);\d+~$/, "[$1~");
}
