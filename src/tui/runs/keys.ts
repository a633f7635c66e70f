/** @file Every key of the screen of runs in one table. */
import { type Binding, bindingMaker, boundAction, direction, helpKeys, type PageTitle } from "../bindings.ts";
import type { Key } from "../keyboard.ts";
import type { Action, Page } from "./state.ts";

const on = bindingMaker<Page, Action>();
const moves = [-1, 1, -10, 10];

export const bindings: readonly Binding<Page, Action>[] = [
  on(
    "runs",
    ["up", "down", "pageup", "pagedown"],
    "↑ ↓",
    "select a run",
    (place) => ({ type: "moved", by: moves[place]! }),
    "select",
  ),
  on("runs", [" "], "space", "show or hide its curve", () => ({ type: "show-toggled" }), "show"),
  on("runs", ["?"], "?", "this page", () => ({ type: "help-opened" }), "help"),
  on("runs", ["q", "ctrl-c", "ctrl-d"], "q  ctrl-c", "quit", () => ({ type: "ended" }), "quit"),
  on(
    "runs",
    ["left", "right"],
    "← →",
    "sort by another column",
    (place) => ({ type: "sort-turned", by: direction(place) }),
    "sort",
  ),
  on("runs", ["r"], "r", "sort the other way", () => ({ type: "sort-reversed" }), "reverse"),
  on(
    "runs",
    ["tab"],
    "tab",
    "curves of the training loss or of the validation loss",
    () => ({ type: "kind-turned" }),
    "curves",
  ),
  on(
    "runs",
    ["l", "x"],
    "l  x",
    "logarithmic scale of the loss, of the steps",
    (place) => ({
      type: "scale-toggled",
      axis: place === 0 ? "y" : "x",
    }),
    "log",
  ),
  on("runs", ["ctrl-l"], "ctrl-l", "draw the screen anew", () => ({ type: "repainted" })),

  ...helpKeys,
  on("help", ["ctrl-c"], "ctrl-c", "quit", () => ({ type: "ended" }), "quit"),
];

export const titles: readonly PageTitle<Page>[] = [
  { page: "runs", title: "Keys" },
  { page: "help", title: "On this page" },
];

export const actionFor = (page: Page, key: Key): Action | undefined => boundAction(bindings, page, key);
