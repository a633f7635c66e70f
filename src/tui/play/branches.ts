/** @file Texts that were kept, as a tree: what they share, and where they part. */
import type { TextToken } from "./port.ts";
import type { State } from "./state.ts";

/** A text that was kept. Its tokens are those that the screen had; the port keeps it whole. */
export interface Branch {
  readonly id: number;
  readonly tokens: readonly TextToken[];
  /** Tokens of the text before these. */
  readonly omitted: number;
}

/** Texts that are kept at most. */
export const mostBranches = 32;

/** Keeps the text at hand, unless it is kept already; `ask` makes the state that has asked the port to keep it too. */
export function keepBranch(state: State, ask: (id: number) => State): State {
  const { snapshot, branches } = state;
  if (snapshot === undefined) return state;
  const told = (text: string): State => ({ ...state, notice: { kind: "info", text } });
  const same = branches.find(({ tokens }) => isSameText(tokens, snapshot.tokens));
  if (same !== undefined) return told(`this text is branch ${same.id} already`);
  if (branches.length >= mostBranches) return told(`${mostBranches} branches are kept; drop one in the tree`);
  const id = (branches.at(-1)?.id ?? 0) + 1;
  const branch: Branch = { id, tokens: snapshot.tokens, omitted: snapshot.omitted ?? 0 };
  const notice = { kind: "info", text: `kept as branch ${id}: go back, pick another token; y shows the tree` } as const;
  const kept = [...branches, branch];
  return { ...ask(id), branches: kept, branch: treeOf(kept).findIndex((twig) => twig.branch === branch), notice };
}

/** The branch that is selected in the tree. */
export const branchAt = ({ branches, branch }: Pick<State, "branches" | "branch">): Branch | undefined =>
  treeOf(branches)[branch]?.branch;

/** Marks the selected branch for comparison, or takes the mark off. */
export function markBranch(state: State): State {
  const id = branchAt(state)?.id;
  return { ...state, compared: state.compared === id ? undefined : id };
}

/** Drops the selected branch. */
export function dropBranch(state: State): State {
  const branches = state.branches.filter((branch) => branch !== branchAt(state));
  return { ...state, branches, branch: Math.max(0, Math.min(branches.length - 1, state.branch)) };
}

/** A branch in its place in the tree. */
export interface Twig {
  readonly branch: Branch;
  /** How many branches it grows on. */
  readonly depth: number;
  /** Tokens that it shares with the branch that it grows on. */
  readonly shared: number;
}

/** Each branch grows on the earlier one that it shares most with; in the order of the tree. */
export function treeOf(branches: readonly Branch[]): readonly Twig[] {
  const grown: Twig[] = [];
  for (const branch of branches) {
    const best = bestPlace(grown, branch);
    const twig = { branch, depth: best.depth, shared: best.shared };
    grown.splice(best.after, 0, twig);
  }
  return grown;
}

function bestPlace(grown: readonly Twig[], branch: Branch): { depth: number; shared: number; after: number } {
  let best = { depth: 0, shared: 0, after: grown.length };
  for (const [index, twig] of grown.entries()) {
    const shared = sharedLength(twig.branch.tokens, branch.tokens);
    if (shared <= best.shared) continue;
    let after = index + 1;
    while (after < grown.length && grown[after]!.depth > twig.depth) after++;
    best = { depth: twig.depth + 1, shared, after };
  }
  return best;
}

/** Tokens that two texts have in common at their beginning. */
export function sharedLength(a: readonly TextToken[], b: readonly TextToken[]): number {
  const most = Math.min(a.length, b.length);
  for (let i = 0; i < most; i++) if (a[i]!.id !== b[i]!.id) return i;
  return most;
}

/** Mean surprise −ln p of the tokens that the model or the user chose, in nats; NaN where there is none. */
export function meanSurprise(tokens: readonly TextToken[]): number {
  const surprises = tokens.flatMap(({ probability }) => (probability === undefined ? [] : [-Math.log(probability)]));
  return surprises.reduce((sum, surprise) => sum + surprise, 0) / surprises.length;
}

const isSameText = (a: readonly TextToken[], b: readonly TextToken[]): boolean =>
  a.length === b.length && sharedLength(a, b) === a.length;
