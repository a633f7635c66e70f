import { expect, test } from "vitest";
import { sampleState } from "../../../test/tui/sampleState.ts";
import { type Branch, meanSurprise, mostBranches, treeOf } from "./branches.ts";
import type { TextToken } from "./port.ts";
import { type Action, reduce, type State } from "./state.ts";

const tokens = (text: string): TextToken[] =>
  Array.from(text, (character) => ({
    id: character.charCodeAt(0),
    text: character,
    probability: 0.5,
    source: "sampled" as const,
  }));
const branch = (id: number, text: string): Branch => ({ id, tokens: tokens(text), omitted: 0 });
const shape = (texts: readonly string[]) =>
  treeOf(texts.map((text, index) => branch(index + 1, text))).map(
    ({ branch: { id }, depth, shared }) => `${id}:${depth}:${shared}`,
  );

test("a branch grows on the earlier one that it shares most with", () => {
  expect(shape(["abcd", "abxy", "abxz", "q"])).toEqual(["1:0:0", "2:1:2", "3:2:3", "4:0:0"]);
  expect(shape(["abcd", "q", "abxy"])).toEqual(["1:0:0", "3:1:2", "2:0:0"]);
});

test("mean surprise is the mean of −ln p over chosen tokens", () => {
  const prompt: TextToken = { id: 1, text: "p", probability: undefined, source: "prompt" };
  expect(meanSurprise([prompt, ...tokens("ab")])).toBeCloseTo(Math.LN2, 12);
  expect(meanSurprise([prompt])).toBeNaN();
});

const act = (state: State, ...actions: readonly Action[]) => actions.reduce(reduce, state);
const idle = sampleState(80, 24);

test("keeping asks the port, and the same text is kept once", () => {
  const kept = act(idle, { type: "branch-kept" });
  expect(kept).toMatchObject({ waiting: [{ kind: "keep", branch: 1 }], branch: 0 });
  const done = { ...kept, waiting: [] };
  expect(act(done, { type: "branch-kept" })).toMatchObject({ notice: { text: "this text is branch 1 already" } });
});

test("while the text moves nothing is kept", () => {
  expect(act({ ...idle, running: true }, { type: "branch-kept" })).toMatchObject({
    running: false,
    branches: [],
    notice: { text: "paused: press b again" },
  });
});

test("branches stay bounded", () => {
  const full = { ...idle, branches: Array.from({ length: mostBranches }, (_, index) => branch(index + 1, `${index}`)) };
  expect(act(full, { type: "branch-kept" }).branches.length).toBe(mostBranches);
});

test("jump, compare and drop mean the branch that is selected in the tree", () => {
  const state = { ...idle, branches: [branch(1, "abcd"), branch(2, "q"), branch(3, "abxy")], branch: 1 };
  expect(act(state, { type: "branch-jumped" }).waiting).toEqual([{ kind: "jump", branch: 3 }]);
  expect(act(state, { type: "branch-compared" }).compared).toBe(3);
  expect(act(state, { type: "branch-dropped" }).branches.map(({ id }) => id)).toEqual([1, 2]);
});
