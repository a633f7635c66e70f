/** @file Every key of the play screen in one table, which also makes the help page and the line of hints. */
import { type Key, pastedText } from "../keyboard.ts";
import type { Action, Page } from "./state.ts";

/** One line of the help page, and the keys behind it. */
export interface Binding {
  readonly page: Page;
  /** Key names as `Key` has them: `left`, or the character itself. */
  readonly keys: readonly string[];
  /** How the help page writes the keys. */
  readonly shown: string;
  /** What it does, in a few words. */
  readonly does: string;
  /** One or two words for the line of hints; none: not there. */
  readonly hint?: string;
  /** What the key with this place in `keys` does. */
  readonly action: (place: number) => Action;
}

const by = (place: number): 1 | -1 => (place % 2 === 0 ? -1 : 1);
const scrolls = [-1, 1, -8, 8];
const digits = ["1", "2", "3", "4", "5", "6", "7", "8", "9"];

/** In the order of the help page; the order of the hints too. */
export const bindings: readonly Binding[] = [
  on(
    "watch",
    ["left", "right", "-", "+", "_", "="],
    "← →  - +",
    "temperature down, up by 0.05; 0 is greedy",
    turn("temperature"),
    "temp",
  ),
  on("watch", [" "], "space", "sample one token", () => ({ type: "stepped" }), "step"),
  on("watch", ["?"], "?", "this page", () => ({ type: "help-opened" }), "help"),
  on("watch", ["q", "ctrl-c", "ctrl-d"], "q  ctrl-c", "quit", () => ({ type: "ended" }), "quit"),
  on("watch", ["enter"], "enter", "run, pause", () => ({ type: "run-toggled" }), "run"),
  on("watch", ["tab"], "tab", "append the selected candidate", () => ({ type: "picked" }), "pick"),
  on("watch", ["up", "down"], "↑ ↓", "select a candidate", select(1), "select"),
  on("watch", ["e", "/"], "e  /", "edit the prompt", () => ({ type: "edit-opened" }), "edit"),
  on("watch", ["backspace"], "backspace", "take the last token back", () => ({ type: "undone" }), "undo"),
  on("watch", ["pageup", "pagedown"], "page ↑ ↓", "select ten further up, down", select(10)),
  on("watch", digits, "1 … 9", "append the candidate of this rank", (place) => ({ type: "picked", rank: place })),
  on("watch", ["k", "K"], "k  K", "top-k down, up: keep the k likeliest", turn("topK")),
  on("watch", ["p", "P"], "p  P", "top-p down, up: keep the likeliest p of the mass", turn("topP")),
  on("watch", ["m", "M"], "m  M", "min-p down, up: keep what has p times the likeliest", turn("minP")),
  on("watch", ["r", "R"], "r  R", "start again from the prompt: new seed, same seed", (place) => ({
    type: "restarted",
    newSeed: place === 0,
  })),
  on("watch", ["ctrl-l"], "ctrl-l", "draw the screen anew", () => ({ type: "repainted" })),

  on("edit", ["enter"], "enter", "start from this prompt", () => ({ type: "edit-submitted" }), "start"),
  on("edit", ["escape", "ctrl-g"], "escape", "leave the prompt as it was", () => ({ type: "page-closed" }), "leave"),
  on("edit", ["newline"], "ctrl-j", "break the line", () => inserted("\n"), "new line"),
  on("edit", ["ctrl-u"], "ctrl-u", "clear the line", () => ({ type: "edited", change: { do: "clear" } }), "clear"),
  on("edit", ["left", "right"], "← →", "move the caret", (place) => ({
    type: "edited",
    change: { do: place === 0 ? "left" : "right" },
  })),
  on("edit", ["home", "ctrl-a", "end", "ctrl-e"], "home  end", "to the start, the end", (place) => ({
    type: "edited",
    change: { do: place < 2 ? "home" : "end" },
  })),
  on("edit", ["backspace", "delete"], "backspace del", "delete to the left, the right", (place) => ({
    type: "edited",
    change: { do: place === 0 ? "backspace" : "delete" },
  })),
  on("edit", ["tab"], "tab", "insert a tab", () => inserted("\t")),
  on("edit", ["ctrl-c"], "ctrl-c", "quit", () => ({ type: "ended" })),

  on("help", ["escape", "?", "enter", "q", " "], "escape  ?", "back", () => ({ type: "page-closed" }), "back"),
  on(
    "help",
    ["up", "down", "pageup", "pagedown"],
    "↑ ↓",
    "scroll",
    (place) => ({ type: "help-scrolled", by: scrolls[place]! }),
    "scroll",
  ),
  on("help", ["ctrl-c"], "ctrl-c", "quit", () => ({ type: "ended" }), "quit"),
];

/** What a key does on a page; undefined: nothing. */
export function actionFor(page: Page, key: Key): Action | undefined {
  if (key.type === "paste") return pasted(page, pastedText(key.text));
  const name = key.type === "key" ? key.name : key.text;
  const binding = bindings.find((candidate) => candidate.page === page && candidate.keys.includes(name));
  // In the editor every character is text, also those that mean something elsewhere.
  if (page === "edit" && key.type === "text") return inserted(key.text);
  return binding?.action(binding.keys.indexOf(name));
}

/** A paste is text for the prompt, never a row of commands. */
function pasted(page: Page, text: string): Action | undefined {
  if (page === "edit") return inserted(text);
  return page === "watch" ? { type: "edit-opened", insert: text } : undefined;
}

function inserted(text: string): Action {
  return { type: "edited", change: { do: "insert", text } };
}

function turn(dial: Extract<Action, { type: "dial-turned" }>["dial"]): Binding["action"] {
  return (place) => ({ type: "dial-turned", dial, by: by(place) });
}

function select(distance: number): Binding["action"] {
  return (place) => ({ type: "selection-moved", by: distance * by(place) });
}

function on(
  page: Page,
  keys: readonly string[],
  shown: string,
  does: string,
  action: Binding["action"],
  hint?: string,
): Binding {
  return { page, keys, shown, does, action, ...(hint !== undefined && { hint }) };
}
