import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import type { StepEvent } from "../../training/events.ts";
import type { TrainEvent } from "../../tui/train/port.ts";
import { createOutbox } from "./outbox.ts";

const step = (at: number, loss = 1): StepEvent => ({
  type: "step",
  step: at,
  loss,
  learningRate: 1,
  gradientNorm: 1,
  tokens: 8,
  milliseconds: 1,
});

function start() {
  const batches: (readonly TrainEvent[])[] = [];
  const outbox = createOutbox((events) => batches.push(events));
  return { batches, outbox };
}

test("nothing is sent before the receiver is ready, then one batch until it is ready again", async () => {
  const { batches, outbox } = start();
  outbox.push(step(1));
  await setImmediate();
  expect(batches).toEqual([]);
  outbox.ready();
  outbox.push(step(2));
  await setImmediate();
  expect(batches.map((batch) => batch.map((event) => event.step))).toEqual([[1, 2]]);
  outbox.push(step(3));
  await setImmediate();
  expect(batches.length).toBe(1);
  outbox.ready();
  await setImmediate();
  expect(batches[1]!.map((event) => event.step)).toEqual([3]);
});

test("a receiver that was ready early gets the next event when it comes", async () => {
  const { batches, outbox } = start();
  outbox.ready();
  await setImmediate();
  outbox.push(step(1));
  await setImmediate();
  expect(batches.length).toBe(1);
});

test("however long the receiver takes, what waits stays bounded and keeps its mean and its newest step", async () => {
  const { batches, outbox } = start();
  for (let at = 1; at <= 10_000; at++) outbox.push(step(at, 3));
  outbox.push({ type: "warning", step: 0, text: "told" });
  outbox.ready();
  await setImmediate();
  const events = batches[0]!;
  expect(events.length).toBeLessThanOrEqual(258);
  expect(events.at(-1)).toMatchObject({ step: 10_000, loss: 3 });
  expect(events[0]).toMatchObject({ type: "warning" });
});

test("an evaluation comes after the step it belongs to", async () => {
  const { batches, outbox } = start();
  outbox.push(step(4));
  outbox.push({ type: "sample", step: 4, prompt: "a", text: "b" });
  outbox.push(step(5));
  outbox.ready();
  await setImmediate();
  expect(batches[0]!.map(({ type, step }) => `${type} ${step}`)).toEqual(["step 4", "sample 4", "step 5"]);
});
