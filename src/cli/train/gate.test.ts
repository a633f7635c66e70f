import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { createGate } from "./gate.ts";

/** Whether the gate lets through within a turn of the event loop. */
async function passes(waiting: Promise<void>): Promise<boolean> {
  return Promise.race([waiting.then(() => true), setImmediate(false)]);
}

test("a paused run waits until it is resumed", async () => {
  const gate = createGate();
  expect(await passes(gate.pass(false))).toBe(true);
  gate.pause();
  const waiting = gate.pass(false);
  expect(await passes(waiting)).toBe(false);
  gate.resume();
  expect(await passes(waiting)).toBe(true);
});

test("a save lets a paused run through to its checkpoint, and no further", async () => {
  const gate = createGate();
  gate.pause();
  const waiting = gate.pass(false);
  gate.save();
  expect(await passes(waiting)).toBe(true);
  expect(gate.isSaveWanted()).toBe(true);
  expect(await passes(gate.pass(true))).toBe(false);
  expect(gate.isSaveWanted()).toBe(false);
});

test("a stop lets a paused run through for good", async () => {
  const gate = createGate();
  gate.pause();
  const waiting = gate.pass(false);
  gate.stop();
  expect(await passes(waiting)).toBe(true);
  expect(gate.signal.aborted).toBe(true);
  expect(await passes(gate.pass(true))).toBe(true);
});
