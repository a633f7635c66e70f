import { expect, test } from "vitest";
import type { RunSummary } from "../../experiments/runSummary.ts";
import type { RunRecord } from "./port.ts";
import { type Action, initialState, reduce, type State, sortedRuns } from "./state.ts";
import { columnWidths, headText, runText, sortRuns } from "./table.ts";

const record = (name: string, facts: Partial<RunSummary> = {}): RunRecord => ({
  summary: { name, folder: `checkpoints/${name}`, state: "finished", step: 10, steps: 10, changedAt: 0, ...facts },
  curves: { loss: [{ step: 1, value: 2 }], validation: [] },
});
const records = [
  record("a", { bitsPerByte: 3 }),
  record("b", { bitsPerByte: 2 }),
  record("c"),
  ...["d", "e", "f", "g"].map((name, index) => record(name, { bitsPerByte: 4 + index })),
];
const act = (state: State, ...actions: readonly Action[]) => actions.reduce(reduce, state);
const read = act(initialState({ columns: 80, rows: 24 }), { type: "read", runs: records });
const names = (state: State) => sortedRuns(state).map(({ summary }) => summary.name);

test("the best come first, runs without a value last, also the other way round", () => {
  expect(names(read)).toEqual(["b", "a", "d", "e", "f", "g", "c"]);
  expect(names(act(read, { type: "sort-reversed" }))).toEqual(["g", "f", "e", "d", "a", "b", "c"]);
  expect(names(act(read, { type: "sort-turned", by: -1 }))).toEqual(["a", "b", "c", "d", "e", "f", "g"]);
});

test("the best three are shown at first; a run keeps its letter until it is hidden", () => {
  expect(read.shown).toEqual(["checkpoints/b", "checkpoints/a", "checkpoints/d"]);
  const hidden = act(read, { type: "show-toggled" });
  expect(hidden.shown).toEqual([undefined, "checkpoints/a", "checkpoints/d"]);
  const other = act(hidden, { type: "moved", by: 3 }, { type: "show-toggled" });
  expect(other.shown).toEqual(["checkpoints/e", "checkpoints/a", "checkpoints/d"]);
});

test("more than six curves are refused", () => {
  let state = read;
  for (let i = 0; i < 7; i++)
    state = act(state, { type: "moved", by: 1 }, ...(i > 1 ? [{ type: "show-toggled" } as const] : []));
  expect(state.shown.filter(Boolean).length).toBeLessThanOrEqual(6);
});

test("reading again keeps selection and curves, and lets go of a run that is gone", () => {
  const moved = act(read, { type: "moved", by: 1 });
  expect(act(moved, { type: "read", runs: records }).selected).toBe("checkpoints/a");
  expect(act(moved, { type: "read", runs: records.slice(1) }).selected).toBe("checkpoints/b");
});

test("columns that do not fit are left out", () => {
  const summaries = records.map(({ summary }) => summary);
  for (const width of [10, 40, 80, 200]) {
    const widths = columnWidths(summaries, width);
    expect(headText(widths).length).toBeLessThanOrEqual(Math.max(3, width));
    expect(runText(summaries[0]!, widths)).toMatch(/^a/);
  }
});

test("sorting by anything is stable by name", () => {
  for (let by = 0; by < 9; by++) {
    const sorted = sortRuns([record("z"), record("y")], by, true).map(({ summary }) => summary.name);
    expect(sorted).toEqual(by === 0 ? ["z", "y"] : ["y", "z"]);
  }
});
