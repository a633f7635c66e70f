/** @file The branches of a text as a tree, and two of them compared. */
import { readable, truncate } from "../cells.ts";
import { tokenCount } from "../numbers.ts";
import type { PanelView } from "../panel.ts";
import { theme } from "../theme.ts";
import { type Span, wrapSpans } from "../wrap.ts";
import { type Branch, branchAt, meanSurprise, sharedLength, type Twig, treeOf } from "./branches.ts";
import { tokenSpans } from "./components/TextPanel.tsx";
import type { State } from "./state.ts";

/** The tree; below it, where one is marked, the selected branch beside the marked one. */
export function treeView(state: State, width: number, height: number): PanelView {
  const twigs = treeOf(state.branches);
  if (twigs.length === 0)
    return {
      title: "tree",
      legend: [],
      lines: [[{ text: "no branch yet: b keeps the text at hand", look: theme.faint }]],
    };
  const selected = branchAt(state);
  const compared = state.branches.find(({ id }) => id === state.compared);
  const isCompared = selected !== undefined && compared !== undefined && selected !== compared;
  const comparison = isCompared ? compareLines(selected, compared, width) : [];
  const room = Math.max(1, height - Math.min(comparison.length, Math.floor(height * 0.6)));
  const first = Math.max(0, Math.min(state.branch - room + 1, twigs.length - room));
  const rows = twigs.slice(first, first + room).map((twig) => twigSpans(twig, state, width));
  return {
    title: `tree · ${twigs.length} ${twigs.length === 1 ? "branch" : "branches"}`,
    legend: [{ text: "enter jump, x compare, backspace drop", look: theme.faint }],
    lines: [...rows, ...comparison].slice(0, height),
  };
}

/** `▸ ├ 2  +5 of 12 tokens  2.31 nats  leviathan swam…` */
function twigSpans({ branch, depth, shared }: Twig, state: State, width: number): readonly Span[] {
  const isSelected = branchAt(state) === branch;
  const mark = `${isSelected ? "▸" : " "}${branch.id === state.compared ? "◆" : " "}`;
  const stem = depth === 0 ? "" : `${"  ".repeat(Math.min(depth, 6) - 1)}└ `;
  const own = branch.tokens.slice(shared);
  const surprise = meanSurprise(own);
  const facts = ` +${own.length} of ${branch.omitted + branch.tokens.length}  ${Number.isNaN(surprise) ? "" : `${surprise.toFixed(2)} nats  `}`;
  const head = `${mark}${stem}${branch.id}`;
  const text = own.map((token) => readable(token.text.replaceAll("\n", "⏎"))).join("");
  return [
    { text: head, look: isSelected ? theme.selected : theme.title },
    { text: facts, look: theme.faint },
    { text: truncate(text, Math.max(1, width - head.length - facts.length)), look: theme.plain },
  ];
}

function compareLines(a: Branch, b: Branch, width: number): readonly (readonly Span[])[] {
  const shared = sharedLength(a.tokens, b.tokens);
  const part = (branch: Branch): readonly (readonly Span[])[] => {
    const own = branch.tokens.slice(shared);
    const surprise = meanSurprise(own);
    const title = `${branch.id}: ${tokenCount(own.length)}${Number.isNaN(surprise) ? "" : `, mean surprise ${surprise.toFixed(2)} nats`}`;
    const lines = wrapSpans(own.slice(0, 200).flatMap(tokenSpans), Math.max(3, width - 2));
    return [
      [{ text: title, look: theme.title }],
      ...lines.slice(0, 3).map((line) => [{ text: "  ", look: theme.plain }, ...line]),
    ];
  };
  return [[{ text: `${shared} tokens in common, then`, look: theme.faint }], ...part(a), ...part(b)];
}
