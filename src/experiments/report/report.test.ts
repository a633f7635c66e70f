import { describe, expect, test } from "vitest";
import type { StepEvent } from "../../training/events.ts";
import { spread } from "./page.ts";
import { slug } from "./report.ts";
import { trainingCurve } from "./reportRun.ts";
import { sharesChart, shownNames } from "./sharesChart.ts";

const stepEvent = (step: number): StepEvent => ({
  ...{ type: "step", step, loss: step, learningRate: 0.1, gradientNorm: 1, tokens: 10, milliseconds: 500 },
});

describe("a training curve", () => {
  test("of few steps is what it was", () => {
    const { points, stepsEach } = trainingCurve([1, 2, 3].map(stepEvent));
    expect(stepsEach).toBe(1);
    expect(points.at(-1)).toEqual({ step: 3, tokens: 30, seconds: 1.5, nats: 3 });
  });

  test("of many has means of equally many, at the last of them, and loses no token", () => {
    const { points, stepsEach } = trainingCurve(Array.from({ length: 250 }, (_, i) => stepEvent(i + 1)));
    expect([stepsEach, points.length]).toEqual([3, 84]);
    expect(points[0]).toEqual({ step: 3, tokens: 30, seconds: 1.5, nats: 2 });
    expect(points.at(-1)).toEqual({ step: 250, tokens: 2500, seconds: 125, nats: 250 });
  });

  test("of no steps is empty", () => {
    expect(trainingCurve([]).points).toEqual([]);
  });
});

describe("a film", () => {
  const frame = (step: number, shares: Record<string, number>) => ({ step, shares: new Map(Object.entries(shares)) });

  test("shows those that were ever likeliest, the likeliest at the end first", () => {
    const frames = [frame(1, { a: 0.9, b: 0.1 }), frame(2, { b: 0.5, c: 0.4 })];
    expect(shownNames(frames)).toEqual(["b", "c", "a"]);
    const many = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`t${i}`, i / 200]));
    expect(shownNames([frame(1, many)])).toEqual(["t19", "t18", "t17", "t16", "t15", "t14", "t13"]);
  });

  test("of one moment is a band over the whole width", () => {
    const { option } = sharesChart([frame(5, { a: 0.25 })], "one");
    expect(option.series).toMatchObject([{ name: "25 %  a", data: [0.25, 0.25] }]);
  });
});

test("names become parts of file names", () => {
  expect(["mos:2, seed 3", "../../etc", "<b>", "学习", "-"].map(slug)).toEqual([
    "mos-2-seed-3",
    "etc",
    "b",
    "学习",
    "run",
  ]);
});

test("some of many are spread evenly", () => {
  expect(spread([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 4)).toEqual([0, 2, 5, 7]);
  expect(spread([0, 1], 4)).toEqual([0, 1]);
  expect(spread([], 4)).toEqual([]);
});
