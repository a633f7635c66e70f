/** @file Every key of the training screen in one table, which also makes the help page and the line of hints. */
import { type Binding, bindingMaker, boundAction, direction, helpKeys, type PageTitle } from "../bindings.ts";
import type { Key } from "../keyboard.ts";
import { type Action, type Page, panels } from "./state.ts";

const on = bindingMaker<Page, Action>();

/** In the order of the help page; the order of the hints too. */
export const bindings: readonly Binding<Page, Action>[] = [
  on("run", [" "], "space", "pause, go on", () => ({ type: "pause-toggled" }), "pause"),
  on("run", ["q"], "q", "leave; a training is saved first", () => ({ type: "leave-asked" }), "quit"),
  on("run", ["?"], "?", "this page", () => ({ type: "help-opened" }), "help"),
  on("run", ["w"], "w", "save a checkpoint now", () => ({ type: "save-asked" }), "save"),
  on(
    "run",
    ["shift-tab", "tab"],
    "tab",
    "next panel: loss, rates, probe, sample, warnings",
    (place) => ({ type: "panel-turned", by: direction(place) }),
    "panel",
  ),
  on(
    "run",
    ["l", "x"],
    "l  x",
    "logarithmic scale of the loss, of the steps",
    (place) => ({ type: "scale-toggled", axis: place === 0 ? "y" : "x" }),
    "log",
  ),
  on("run", ["left", "right"], "← →", "another prompt of the probe", (place) => ({
    type: "probe-turned",
    by: direction(place),
  })),
  on(
    "run",
    panels.map((_, index) => String(index + 1)),
    `1 … ${panels.length}`,
    `panel: ${panels.join(", ")}`,
    (place) => ({ type: "panel-chosen", panel: panels[place]! }),
  ),
  on("run", ["end", "e"], "end  e", "of a replay: to the end", () => ({ type: "skip-asked" })),
  on("run", ["ctrl-c", "ctrl-d"], "ctrl-c", "save and leave at once", () => ({ type: "stop-asked" })),
  on("run", ["ctrl-l"], "ctrl-l", "draw the screen anew", () => ({ type: "repainted" })),

  on(
    "leave",
    ["q", "y", "enter", "ctrl-c"],
    "q  enter",
    "stop, save and leave",
    () => ({ type: "stop-asked" }),
    "leave",
  ),
  on("leave", ["escape", "n", " "], "escape  n", "go on training", () => ({ type: "page-closed" }), "stay"),

  ...helpKeys,
  on("help", ["ctrl-c"], "ctrl-c", "save and leave at once", () => ({ type: "stop-asked" })),
];

/** The pages as the help page lists them. */
export const titles: readonly PageTitle<Page>[] = [
  { page: "run", title: "Keys" },
  { page: "leave", title: "When asked whether to leave" },
  { page: "help", title: "On this page" },
];

/** What a key does on a page; undefined: nothing. */
export const actionFor = (page: Page, key: Key): Action | undefined => boundAction(bindings, page, key);
