/** @file A screen's keys as one table, which also makes its help page and its line of hints. */
import type { Key } from "./keyboard.ts";

/** One line of the help page, and the keys behind it. */
export interface Binding<Page extends string, Action> {
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

/** A page as the help page names it. */
export interface PageTitle<Page extends string> {
  readonly page: Page;
  readonly title: string;
}

/** Makes rows of the table. */
export function bindingMaker<Page extends string, Action>() {
  return (
    page: Page,
    keys: readonly string[],
    shown: string,
    does: string,
    action: Binding<Page, Action>["action"],
    hint?: string,
  ): Binding<Page, Action> => ({ page, keys, shown, does, action, ...(hint !== undefined && { hint }) });
}

/** What a key does on a page; undefined: nothing. */
export function boundAction<Page extends string, Action>(
  bindings: readonly Binding<Page, Action>[],
  page: Page,
  key: Key,
): Action | undefined {
  if (key.type === "paste") return undefined;
  const name = key.type === "key" ? key.name : key.text;
  const binding = bindings.find((candidate) => candidate.page === page && candidate.keys.includes(name));
  return binding?.action(binding.keys.indexOf(name));
}

/** −1 for the first key of a pair, 1 for the second, and so on in turn. */
export const direction = (place: number): 1 | -1 => (place % 2 === 0 ? -1 : 1);

/** What the keys of every help page do; a screen's actions hold these two. */
type HelpAction = { readonly type: "page-closed" } | { readonly type: "help-scrolled"; readonly by: number };

const onHelp = bindingMaker<"help", HelpAction>();
const scrolls = [-1, 1, -8, 8];

/** Closing and scrolling a help page; how it quits is each screen's own. */
export const helpKeys: readonly Binding<"help", HelpAction>[] = [
  onHelp("help", ["escape", "?", "enter", "q", " "], "escape  ?", "back", () => ({ type: "page-closed" }), "back"),
  onHelp(
    "help",
    ["up", "down", "pageup", "pagedown"],
    "↑ ↓",
    "scroll",
    (place) => ({ type: "help-scrolled", by: scrolls[place]! }),
    "scroll",
  ),
];
