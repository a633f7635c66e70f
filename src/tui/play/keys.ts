/** @file Every key of the play screen in one table, which also makes the help page and the line of hints. */
import { type Binding, bindingMaker, boundAction, direction as by, helpKeys, type PageTitle } from "../bindings.ts";
import { type Key, pastedText } from "../keyboard.ts";
import type { Dial } from "./settings.ts";
import type { Action, Page } from "./state.ts";

const on = bindingMaker<Page, Action>();
const digits = ["1", "2", "3", "4", "5", "6", "7", "8", "9"];

/** Pages below the text, and the keys that open and close them. */
const pages = ["settings", "tree", "mixture", "attention", "lens", "film", "peer"] as const;

/** Keys of every page that has the text on it. */
const common = (page: Page): readonly Binding<Page, Action>[] => [
  on(page, [" "], "space", "sample one token", () => ({ type: "stepped" }), "step"),
  on(page, ["?"], "?", "this page", () => ({ type: "help-opened" }), "help"),
  on(page, ["q", "ctrl-c", "ctrl-d"], "q  ctrl-c", "quit", () => ({ type: "ended" }), "quit"),
];

/** Keys that open a page, and close it again. */
const doors = (page: Page): readonly Binding<Page, Action>[] => [
  on(page, ["f"], "f", "every filter and setting", toggled("settings"), "filters"),
  on(page, ["b"], "b", "keep this text as a branch", () => ({ type: "branch-kept" }), "branch"),
  on(page, ["y"], "y", "the tree of branches", toggled("tree"), "tree"),
  on(page, ["m"], "m", "the mixture: weights and components", toggled("mixture"), "mixture"),
  on(page, ["a"], "a", "attention maps", toggled("attention"), "attention"),
  on(page, ["l"], "l", "logit lens: what each layer would say", toggled("lens"), "lens"),
  on(page, ["p"], "p", "the film: this distribution over the run's steps", toggled("film"), "film"),
  on(page, ["t"], "t", "a second temperature, checkpoint or run beside", toggled("peer"), "beside"),
  on(
    page,
    ["s"],
    "s",
    "save text, settings and branches as JSON, the bars as SVG",
    () => ({ type: "save-asked" }),
    "save",
  ),
  on(page, ["ctrl-l"], "ctrl-l", "draw the screen anew", () => ({ type: "repainted" })),
];

/** Keys of a page below the text besides its own. */
const insidePage = (page: (typeof pages)[number]): readonly Binding<Page, Action>[] => [
  on(page, ["escape"], "escape", "back to the bars", () => ({ type: "page-toggled", page: "watch" }), "back"),
  ...common(page),
  ...(page === "tree"
    ? [] // where these keys mean branches
    : [
        on(page, ["enter"], "enter", "run, pause", () => ({ type: "run-toggled" })),
        on(page, ["backspace"], "backspace", "take the last token back", () => ({ type: "undone" })),
      ]),
  ...doors(page),
];

/** In the order of the help page; the order of the hints too. */
export const bindings: readonly Binding<Page, Action>[] = [
  on("watch", ["left", "right"], "← →", "temperature down, up by 0.05, or the setting that d chose", turn(), "temp"),
  ...common("watch"),
  on("watch", ["enter"], "enter", "run, pause", () => ({ type: "run-toggled" }), "run"),
  on("watch", ["tab"], "tab", "append the selected candidate", () => ({ type: "picked" }), "pick"),
  on("watch", ["up", "down"], "↑ ↓", "select a candidate", select(1), "select"),
  on("watch", ["e", "/"], "e  /", "edit the prompt", () => ({ type: "edit-opened" }), "edit"),
  on("watch", ["backspace"], "backspace", "take the last token back", () => ({ type: "undone" }), "undo"),
  on("watch", ["pageup", "pagedown"], "page ↑ ↓", "select ten further up, down", select(10)),
  on("watch", digits, "1 … 9", "append the candidate of this rank", (place) => ({ type: "picked", rank: place })),
  on("watch", ["D", "d"], "d  D", "the arrows turn the next setting, the one before", (place) => ({
    type: "dial-chosen",
    by: by(place),
  })),
  on("watch", ["-", "+", "_", "="], "-  +", "temperature down, up; 0 is greedy", turn("temperature")),
  on("watch", ["k", "K"], "k  K", "top-k down, up: keep the k likeliest", turn("topK")),
  on("watch", ["n", "N"], "n  N", "top-p (nucleus) down, up: keep the likeliest p of the mass", turn("topP")),
  on("watch", ["i", "I"], "i  I", "min-p down, up: keep what has p times the likeliest", turn("minP")),
  on("watch", ["r", "R"], "r  R", "start again from the prompt: new seed, same seed", (place) => ({
    type: "restarted",
    newSeed: place === 0,
  })),
  on("watch", ["c"], "c", "the saved repair of calibration on, off", () => ({ type: "calibration-toggled" })),
  ...doors("watch"),

  on(
    "settings",
    ["up", "down"],
    "↑ ↓",
    "select a setting",
    (place) => ({ type: "dial-chosen", by: by(place) }),
    "select",
  ),
  on("settings", ["left", "right"], "← →", "change it", turn(), "change"),
  on(
    "settings",
    ["<", ">", ",", "."],
    "< >",
    "apply the filter earlier, later in the chain",
    (place) => ({ type: "filter-moved", by: by(place) }),
    "order",
  ),
  ...insidePage("settings"),

  on("tree", ["up", "down"], "↑ ↓", "select a branch", (place) => ({ type: "branch-moved", by: by(place) }), "select"),
  on("tree", ["enter"], "enter", "go on from the selected branch", () => ({ type: "branch-jumped" }), "jump"),
  on(
    "tree",
    ["x"],
    "x",
    "mark a branch, to compare it with the selected one",
    () => ({ type: "branch-compared" }),
    "compare",
  ),
  on("tree", ["backspace", "delete"], "backspace", "drop the selected branch", () => ({ type: "branch-dropped" })),
  ...insidePage("tree"),

  on("attention", ["left", "right"], "← →", "another head", across(), "head"),
  on(
    "attention",
    ["up", "down"],
    "↑ ↓",
    "another layer",
    (place) => ({ type: "inside-moved", across: 0, down: by(place) }),
    "layer",
  ),
  ...insidePage("attention"),

  on("film", ["left", "right"], "← →", "another frame", across(), "frame"),
  ...insidePage("film"),

  on("peer", ["left", "right"], "← →", "the second temperature down, up, or another checkpoint", across(), "change"),
  on(
    "peer",
    ["tab"],
    "tab",
    "a temperature, a checkpoint, or the run of --beside",
    () => ({ type: "peer-kind-turned" }),
    "kind",
  ),
  ...insidePage("peer"),
  ...insidePage("mixture"),
  ...insidePage("lens"),

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

  ...helpKeys,
  on("help", ["ctrl-c"], "ctrl-c", "quit", () => ({ type: "ended" }), "quit"),
];

/** The pages as the help page lists them. */
export const titles: readonly PageTitle<Page>[] = [
  { page: "watch", title: "Keys" },
  { page: "settings", title: "On the page of filters" },
  { page: "tree", title: "On the tree" },
  { page: "attention", title: "On the attention maps" },
  { page: "film", title: "On the film" },
  { page: "peer", title: "Side by side" },
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
  return page === "help" ? undefined : { type: "edit-opened", insert: text };
}

function inserted(text: string): Action {
  return { type: "edited", change: { do: "insert", text } };
}

function turn(dial?: Dial): Binding<Page, Action>["action"] {
  return (place) => ({ type: "dial-turned", dial, by: by(place) });
}

function across(): Binding<Page, Action>["action"] {
  return (place) => ({ type: "inside-moved", across: by(place), down: 0 });
}

function toggled(page: Page): Binding<Page, Action>["action"] {
  return () => ({ type: "page-toggled", page });
}

function select(distance: number): Binding<Page, Action>["action"] {
  return (place) => ({ type: "selection-moved", by: distance * by(place) });
}
