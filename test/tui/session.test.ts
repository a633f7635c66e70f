/** @file The session over a slow, a hasty and a broken port; no terminal. */
import { expect, test, vi } from "vitest";
import { noticeOf } from "../../src/tui/notice.ts";
import { createSession } from "../../src/tui/play/session.ts";
import { defaultSettings } from "../../src/tui/play/settings.ts";
import { initialState } from "../../src/tui/play/state.ts";
import { createPort, type FixtureOptions } from "./fixtures/port.mjs";

function start(options: FixtureOptions = {}) {
  const calls: string[] = [];
  const port = createPort({ ...options, log: (name, settings) => calls.push(`${name} ${settings?.temperature}`) });
  const session = createSession(port, initialState({ columns: 80, rows: 24 }, defaultSettings, "Call me"));
  session.start();
  return { calls, session, ready: () => vi.waitUntil(() => session.getState().snapshot !== undefined) };
}

test("twenty turns of a dial are two looks: the first, and the last", async () => {
  const { calls, session, ready } = start({ slow: 20 });
  await ready();
  for (let turn = 0; turn < 20; turn++) {
    session.dispatch({ type: "dial-turned", dial: "temperature", by: 1 });
    await new Promise((resolve) => setImmediate(resolve));
  }
  await vi.waitUntil(() => session.getState().answered?.temperature === 2);
  expect(calls.filter((call) => call.startsWith("look"))).toEqual(["look 1.05", "look 2"]);
});

test("a port that answers at once does not starve timers", async () => {
  const { session, ready } = start();
  await ready();
  session.dispatch({ type: "run-toggled" });
  for (let timer = 0; timer < 5; timer++) await new Promise((resolve) => setTimeout(resolve, 1));
  session.dispatch({ type: "ended" });
  await session.ended;
  expect(session.getState().snapshot?.tokens.length).toBeGreaterThan(2);
});

test("a call that fails is shown with its hint, and the next one works", async () => {
  const { session, ready } = start({ broken: "step" });
  await ready();
  session.dispatch({ type: "stepped" });
  await vi.waitUntil(() => session.getState().notice !== undefined);
  expect(session.getState().notice).toEqual({ kind: "error", text: "step: the model has left", hint: "start again" });
  session.dispatch({ type: "picked", rank: 0 });
  await vi.waitUntil(() => session.getState().snapshot?.tokens.length === 3);
});

test("a model that does not load is a notice, not a crash", async () => {
  const { session } = start({ broken: "open" });
  await vi.waitUntil(() => session.getState().notice !== undefined);
  expect(session.getState().notice?.text).toBe("open: the model has left");
});

test("anything thrown becomes a readable notice", () => {
  expect(noticeOf("boom")).toEqual({ kind: "error", text: "boom" });
  expect(noticeOf(undefined)).toEqual({ kind: "error", text: "undefined" });
  expect(noticeOf(new TypeError("x is y"))).toEqual({ kind: "error", text: "x is y" });
});
