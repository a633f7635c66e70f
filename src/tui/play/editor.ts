/** @file A line editor as pure functions: a text, a caret, edits. Knows no keys and no screen. */

/** A text being edited. */
export interface Editor {
  readonly text: string;
  /** Where the caret stands, in UTF-16 units, always between two whole characters. */
  readonly caret: number;
}

/** What can be done to it. */
export type Edit =
  | { readonly do: "insert"; readonly text: string }
  | { readonly do: "backspace" | "delete" | "left" | "right" | "home" | "end" | "clear" };

/** Longest text that the editor takes, in UTF-16 units. */
export const longestEdit = 20_000;

const characters = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** An editor with the caret at the end. */
export function createEditor(text: string): Editor {
  return { text, caret: text.length };
}

/** The editor after an edit; an insertion that would make it too long is cut. */
export function edit(editor: Editor, change: Edit): Editor {
  const { text, caret } = editor;
  switch (change.do) {
    case "insert": {
      const added = wholeCharacters(change.text, Math.max(0, longestEdit - text.length));
      return { text: text.slice(0, caret) + added + text.slice(caret), caret: caret + added.length };
    }
    case "backspace": {
      const from = before(text, caret);
      return { text: text.slice(0, from) + text.slice(caret), caret: from };
    }
    case "delete":
      return { text: text.slice(0, caret) + text.slice(after(text, caret)), caret };
    case "left":
      return { text, caret: before(text, caret) };
    case "right":
      return { text, caret: after(text, caret) };
    case "home":
      return { text, caret: 0 };
    case "end":
      return { text, caret: text.length };
    case "clear":
      return { text: "", caret: 0 };
    default:
      change satisfies never;
      return editor;
  }
}

/** The character under the caret, "" at the end. */
export function underCaret({ text, caret }: Editor): string {
  return text.slice(caret, after(text, caret));
}

/** Start of the character before `caret`: combining marks and joined emoji count as one. */
function before(text: string, caret: number): number {
  return caret === 0 ? 0 : characters.segment(text).containing(caret - 1)!.index;
}

function after(text: string, caret: number): number {
  if (caret >= text.length) return text.length;
  const here = characters.segment(text).containing(caret)!;
  return here.index + here.segment.length;
}

function wholeCharacters(text: string, length: number): string {
  return text.length <= length ? text : text.slice(0, length === 0 ? 0 : before(text, length + 1));
}
