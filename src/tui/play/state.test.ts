import { expect, test } from "vitest";
import { sampleCard, sampleSnapshot, sampleState } from "../../../test/tui/sampleState.ts";
import { defaultSettings } from "./settings.ts";
import { type Action, initialState, nextRequest, type Request, reduce, type State } from "./state.ts";

function after(state: State, ...actions: readonly Action[]): State {
  return actions.reduce(reduce, state);
}

/** Sends what is wanted; the reply is still to come. */
function sent(state: State): State {
  const request = nextRequest(state) as Request;
  return reduce(state, { type: "sent", request, settings: state.settings });
}

const idle = sampleState(80, 24, { settings: defaultSettings });
const hotter: Action = { type: "dial-turned", dial: "temperature", by: 1 };
const reply: Action = { type: "replied", snapshot: sampleSnapshot };

test("nothing is asked before the model is loaded, then the prompt", () => {
  const fresh = initialState({ columns: 80, rows: 24 }, defaultSettings, "Call me");
  expect(nextRequest(fresh)).toBeUndefined();
  expect(nextRequest(after(fresh, { type: "stepped" }, { type: "opened", card: sampleCard }))).toEqual({
    kind: "prompt",
    text: "Call me",
  });
});

test("a changed temperature shows at once and asks for one look, however often it changes meanwhile", () => {
  expect(nextRequest(idle)).toBeUndefined();
  const asked = sent(reduce(idle, hotter));
  expect(asked.inFlight?.request).toEqual({ kind: "look" });
  const busy = after(asked, hotter, hotter, hotter);
  expect(busy.settings.temperature).toBe(1.2);
  expect(nextRequest(busy)).toBeUndefined();
  const again = sent(reduce(busy, reply));
  expect(again.inFlight?.settings.temperature).toBe(1.2);
  expect(nextRequest(reduce(again, reply))).toBeUndefined();
});

test("a dial that comes back before it was asked costs no call", () => {
  const back: Action = { type: "dial-turned", dial: "temperature", by: -1 };
  expect(nextRequest(after(idle, hotter, back))).toBeUndefined();
});

test("while running the next step waits for the reply and takes the newest settings along", () => {
  const running = sent(reduce(idle, { type: "run-toggled" }));
  expect(running.inFlight?.request).toEqual({ kind: "step" });
  expect(nextRequest(running)).toBeUndefined();
  const next = sent(after(running, hotter, reply));
  expect(next.inFlight).toMatchObject({ request: { kind: "step" }, settings: { temperature: 1.05 } });
  expect(nextRequest(after(next, { type: "run-toggled" }, reply))).toBeUndefined();
});

test("steps wait in order, and only so many", () => {
  const steps = Array.from({ length: 50 }, (): Action => ({ type: "stepped" }));
  const full = after(idle, { type: "undone" }, ...steps);
  expect(full.waiting[0]).toEqual({ kind: "undo" });
  expect(full.waiting.length).toBeLessThan(20);
});

test("a pick is taken from the distribution on the screen, or not at all", () => {
  expect(reduce(idle, { type: "picked", rank: 2 }).waiting).toEqual([{ kind: "pick", id: 2 }]);
  expect(after(idle, { type: "selection-moved", by: 3 }, { type: "picked" }).waiting).toEqual([
    { kind: "pick", id: 3 },
  ]);
  const moving = sent(reduce(idle, { type: "stepped" }));
  expect(reduce(moving, { type: "picked", rank: 2 })).toMatchObject({ waiting: [], notice: { kind: "info" } });
  const running = reduce(idle, { type: "run-toggled" });
  expect(reduce(running, { type: "picked", rank: 0 })).toMatchObject({ running: false, waiting: [] });
  expect(reduce(idle, { type: "picked", rank: 99 })).toBe(idle);
});

test("the selected candidate stays selected through a look, and is the first after a step", () => {
  const selected = reduce(idle, { type: "selection-moved", by: 2 });
  const turned = {
    ...sampleSnapshot,
    next: { ...sampleSnapshot.next, candidates: sampleSnapshot.next.candidates.toReversed() },
  };
  const looked = reduce(sent(reduce(selected, hotter)), { type: "replied", snapshot: turned });
  expect(turned.next.candidates[looked.selected]?.id).toBe(2);
  expect(reduce(sent(reduce(selected, { type: "stepped" })), reply).selected).toBe(0);
});

test("the selection stays within the candidates", () => {
  expect(reduce(idle, { type: "selection-moved", by: -5 }).selected).toBe(0);
  expect(reduce(idle, { type: "selection-moved", by: 500 }).selected).toBe(sampleSnapshot.next.candidates.length - 1);
});

test("a failed call stops the run, says why, and is not repeated by itself", () => {
  const running = sent(after(idle, { type: "run-toggled" }, hotter));
  const failed = reduce(running, { type: "failed", notice: { kind: "error", text: "gone", hint: "try again" } });
  expect(failed).toMatchObject({ running: false, waiting: [], inFlight: undefined, notice: { hint: "try again" } });
  expect(nextRequest(failed)).toBeUndefined();
  expect(reduce(failed, { type: "stepped" }).notice).toBeUndefined();
});

test("restarting goes back to the prompt, with a new seed or the same", () => {
  const newSeed = reduce(idle, { type: "restarted", newSeed: true });
  expect(newSeed).toMatchObject({ settings: { seed: 2 }, waiting: [{ kind: "prompt", text: "Call me" }] });
  expect(reduce(idle, { type: "restarted", newSeed: false }).settings.seed).toBe(1);
});

test("an edited prompt is used on enter and dropped on escape", () => {
  const typed = after(idle, { type: "edit-opened" }, { type: "edited", change: { do: "insert", text: " Ahab" } });
  expect(reduce(typed, { type: "edit-submitted" })).toMatchObject({
    page: "watch",
    prompt: "Call me Ahab",
    waiting: [{ kind: "prompt", text: "Call me Ahab" }],
  });
  expect(reduce(typed, { type: "page-closed" })).toMatchObject({ page: "watch", prompt: "Call me", waiting: [] });
});

test("after the end nothing is asked", () => {
  expect(nextRequest(after(idle, hotter, { type: "ended" }))).toBeUndefined();
});

test("a repair that is not there goes off again; one that is there stays", () => {
  const wanted = reduce(idle, { type: "calibration-toggled" });
  expect(nextRequest(wanted)).toEqual({ kind: "look" });
  const asked = reduce(wanted, { type: "sent", request: { kind: "look" }, settings: wanted.settings });
  const refused = reduce(asked, { type: "failed", notice: { kind: "error", text: "no saved repair" } });
  expect(refused).toMatchObject({ settings: { calibrated: false }, notice: { text: "no saved repair" } });
  expect(nextRequest(refused)).toBeUndefined();
  const answered = reduce(asked, { type: "replied", snapshot: idle.snapshot! });
  expect(answered.settings.calibrated).toBe(true);
  expect(nextRequest(answered)).toBeUndefined();
});
