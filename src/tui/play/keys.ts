/** @file Every key of the play screen in one table, which also makes the help page and the line of hints. */
import { type Binding, bindingMaker, boundAction, direction as by, type PageTitle } from "../bindings.ts";
import { type Key, pastedText } from "../keyboard.ts";
import type { Action, Page } from "./state.ts";

const on = bindingMaker<Page, Action>();
const scrolls = [-1, 1, -8, 8];
const digits = ["1", "2", "3", "4", "5", "6", "7", "8", "9"];

/** In the order of the help page; the order of the hints too. */
export const bindings: readonly Binding<Page, Action>[] = [
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

/** The pages as the help page lists them. */
export const titles: readonly PageTitle<Page>[] = [
  { page: "watch", title: "Keys" },
  { page: "edit", title: "While editing the prompt" },
  { page: "help", title: "On this page" },
];

/** What a key does on a page; undefined: nothing. */
export function actionFor(page: Page, key: Key): Action | undefined {
  if (key.type === "paste") return pasted(page, pastedText(key.text));
  // In the editor every character is text, also those that mean something elsewhere.
  if (page === "edit" && key.type === "text") return inserted(key.text);
  return boundAction(bindings, page, key);
}

/** A paste is text for the prompt, never a row of commands. */
function pasted(page: Page, text: string): Action | undefined {
  if (page === "edit") return inserted(text);
  return page === "watch" ? { type: "edit-opened", insert: text } : undefined;
}

function inserted(text: string): Action {
  return { type: "edited", change: { do: "insert", text } };
}

function turn(dial: Extract<Action, { type: "dial-turned" }>["dial"]): Binding<Page, Action>["action"] {
  return (place) => ({ type: "dial-turned", dial, by: by(place) });
}

function select(distance: number): Binding<Page, Action>["action"] {
  return (place) => ({ type: "selection-moved", by: distance * by(place) });
}
