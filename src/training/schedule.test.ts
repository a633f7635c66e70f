import { expect, test } from "vitest";
import { TrainingConfig } from "./config.ts";
import { learningRateAt } from "./schedule.ts";

const schedule = (changes: object) => TrainingConfig.parse({ schedule: changes }).schedule;

test("it rises in a line over the warm-up, and the first step is not without effect", () => {
  const warm = schedule({ warmupSteps: 4, decaySteps: 100 });
  expect([1, 2, 3, 4].map((step) => learningRateAt(step, 8, warm))).toEqual([2, 4, 6, 8]);
});

test.each([
  ["cosine", [1, 0.5 + 0.1 / 2, 0.1]],
  ["linear", [1, 0.5 + 0.1 / 2, 0.1]],
  ["constant", [1, 1, 1]],
])("%s: from the largest through the middle to the final share", (kind, expected) => {
  const decay = schedule({ kind, warmupSteps: 10, decaySteps: 110, finalShare: 0.1 });
  for (const [i, step] of [10, 60, 110].entries()) expect(learningRateAt(step, 1, decay)).toBeCloseTo(expected[i]!, 12);
});

test("a quarter of the way the cosine has lost less than the line", () => {
  const at = (kind: string): number =>
    learningRateAt(25, 1, schedule({ kind, warmupSteps: 0, decaySteps: 100, finalShare: 0 }));
  expect(at("cosine")).toBeCloseTo((1 + Math.SQRT1_2) / 2, 12);
  expect(at("linear")).toBeCloseTo(0.75, 12);
});

test("after the decay it stays, and without warm-up it starts at the largest", () => {
  const decay = schedule({ warmupSteps: 0, decaySteps: 100, finalShare: 0.1 });
  expect([100, 101, 1e9].map((step) => learningRateAt(step, 1, decay))).toEqual([0.1, 0.1, 0.1]);
  expect(learningRateAt(1, 1, decay)).toBeGreaterThan(0.999);
});

test("a decay that ends before the warm-up does gives no NaN", () => {
  const odd = schedule({ warmupSteps: 10, decaySteps: 5 });
  for (const step of [1, 5, 10, 11, 20]) expect(learningRateAt(step, 1, odd)).toBeGreaterThan(0);
});
