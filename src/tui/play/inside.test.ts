import { expect, test } from "vitest";
import { sampleCard, sampleState } from "../../../test/tui/sampleState.ts";
import { queryOf } from "./inside.ts";
import type { Insight } from "./port.ts";
import { type Action, nextRequest, reduce, type State } from "./state.ts";

const act = (state: State, ...actions: readonly Action[]) => actions.reduce(reduce, state);
const still = { ...sampleState(80, 24), answered: sampleState(80, 24).settings };
const lens: Insight = { kind: "lens", rows: [] };
const sent = (state: State) => act(state, { type: "sent", request: nextRequest(state)!, settings: state.settings });

test("an open page asks once a text, and again when the text has changed", () => {
  const open = act(still, { type: "page-toggled", page: "lens" });
  expect(nextRequest(open)).toMatchObject({ kind: "inspect", query: { kind: "lens" } });
  const told = act(sent(open), { type: "inspected", insight: lens });
  expect(nextRequest(told)).toBeUndefined();
  const stepped = act(told, { type: "stepped" });
  const moved = act(sent(stepped), { type: "replied", snapshot: still.snapshot! });
  expect(nextRequest(moved)).toMatchObject({ kind: "inspect" });
});

test("a question that fails is its own answer, and the text goes on", () => {
  const open = act({ ...still, running: true }, { type: "page-toggled", page: "mixture" });
  const failed = act(sent(open), { type: "failed", notice: { kind: "error", text: "mixes nothing" } });
  expect(failed).toMatchObject({ running: true, notice: undefined, answer: { insight: { text: "mixes nothing" } } });
  expect(nextRequest(failed)).toEqual({ kind: "step" });
});

test("arrows turn heads and layers, and come round", () => {
  const answer = {
    query: { kind: "attention", layer: 0, head: 0 },
    version: 0,
    insight: { kind: "attention", layer: 0, head: 0, layers: 2, heads: 3, tokens: [], weights: [] },
  } as const;
  const open = { ...still, page: "attention", answer } as const;
  expect(queryOf(act(open, { type: "inside-moved", across: -1, down: 1 }))).toEqual({
    kind: "attention",
    layer: 1,
    head: 2,
  });
});

test("what stands beside is a temperature, or another saved step", () => {
  const open = { ...still, page: "peer", card: { ...sampleCard, savedSteps: [1500, 1000] } } as const;
  const query = queryOf(act(open, { type: "inside-moved", across: 1, down: 0 }));
  expect(query).toMatchObject({ kind: "peer", peer: { kind: "temperature", temperature: 1.7 } });
  const other = queryOf(act(open, { type: "peer-kind-turned" }));
  expect(other).toMatchObject({ kind: "peer", peer: { kind: "checkpoint", step: 1000 } });
});

test("a run that was named stands beside first; a key goes through all that may", () => {
  const open = { ...still, page: "peer", card: { ...sampleCard, savedSteps: [1500, 1000], beside: "other" } } as const;
  const kinds = [0, 1, 2, 3].map((turns) => {
    const query = queryOf(act(open, ...Array.from({ length: turns }, () => ({ type: "peer-kind-turned" }) as const)));
    return query?.kind === "peer" && query.peer.kind;
  });
  expect(kinds).toEqual(["run", "temperature", "checkpoint", "run"]);
});
