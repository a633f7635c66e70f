import { beforeAll, expect, test } from "vitest";
import { activate } from "../../../test/support/engines.ts";
import { createRandomStream, randomKey } from "../../engine/random.ts";
import { createTrigger } from "./trigger.ts";

beforeAll(() => activate("native"));

/** Where algorithm 1 of Merity et al. 2018 fires, from the whole series of losses; -1 = never. */
const expectedAt = (losses: readonly number[], patience: number): number =>
  losses.findIndex((loss, k) => k > patience && loss > Math.min(...losses.slice(0, k - patience)));

test("it fires where the published algorithm does, on random series", () => {
  const random = createRandomStream(randomKey(1, "losses"));
  let fired = 0;
  for (let series = 0; series < 200; series++) {
    const patience = 1 + (series % 5);
    const losses = Array.from({ length: 30 }, (_, i) =>
      Math.fround(5 - 0.15 * Math.min(i, series % 2 ? 20 : 30) + 0.1 * random.normal()),
    );
    const trigger = createTrigger(patience);
    for (const [i, loss] of losses.entries()) trigger.evaluated(loss, i);
    const expected = expectedAt(losses, patience);
    expect(trigger.firedAt()).toBe(expected < 0 ? undefined : expected);
    if (expected >= 0) fired++;
    trigger.variable.dispose();
  }
  expect(fired).toBeGreaterThan(20);
  expect(fired).toBeLessThan(200);
});

test("a falling series never fires it, and a loss that is not a number does not count", () => {
  const trigger = createTrigger(2);
  for (let i = 0; i < 20; i++) {
    trigger.evaluated(10 - 0.1 * i, i);
    trigger.evaluated(Number.NaN, i);
  }
  expect(trigger.firedAt()).toBeUndefined();
  expect(trigger.variable.dataSync()[1]).toBe(20);
  trigger.variable.dispose();
});
