/** @file Makes a token's text safe and visible in a terminal: nothing that comes out moves the cursor or hides. */

const spaces: Readonly<Record<string, string>> = { " ": "·", "\n": "␤", "\u00a0": "⍽" };

/**
 * A token as one visible word: spaces as `·`, newlines as `␤`, other control characters as their pictures (`␛`), what has no
 * picture (C1 controls, direction marks, zero-width characters, lone surrogates) as its code, and a combining mark
 * that would sit on its neighbour on a `◌`. U+FFFD stays: it is visible.
 */
export function printableToken(text: string): string {
  const visible = text.replace(/[ \n\u00a0\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, picture);
  return /^\p{M}/u.test(visible) ? `◌${visible}` : visible;
}

/** Running text: spaces, newlines, tabs and joined emoji stay, everything else as in `printableToken`. */
export function printableText(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, (character) =>
    /[\n\t\u200c\u200d]/.test(character) ? character : picture(character),
  );
}

/** As `printableToken`, for bytes: those that are no whole UTF-8 character come out as `\xe2`. */
export function printableBytes(bytes: Uint8Array): string {
  let shown = "";
  for (let at = 0; at < bytes.length; ) {
    const length = characterLength(bytes.subarray(at, at + 4));
    if (length === 0) shown += `\\x${hex(bytes[at]!, 2)}`;
    else shown += new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(at, at + length));
    at += Math.max(1, length);
  }
  return printableToken(shown);
}

function picture(character: string): string {
  const code = character.codePointAt(0)!;
  const known = spaces[character];
  if (known) return known;
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  if (code === 0x7f) return "␡";
  if (code < 0x100) return `\\x${hex(code, 2)}`;
  return code > 0xffff ? `\\u{${hex(code, 5)}}` : `\\u${hex(code, 4)}`;
}

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, "0");

/** Bytes of the whole UTF-8 character that these begin with; 0 if they begin with none. */
function characterLength(bytes: Uint8Array): number {
  const lengths = [1, 2, 3, 4].filter((length) => length <= bytes.length);
  return lengths.find((length) => isCharacter(bytes.subarray(0, length))) ?? 0;
}

function isCharacter(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}
