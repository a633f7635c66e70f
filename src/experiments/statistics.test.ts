import { describe, expect, test } from "vitest";
import { deviationOf, differenceOf, medianOf, studentQuantile, verdictOf } from "./statistics.ts";

const bySeed = (...values: number[]): Map<number, number> => new Map(values.map((value, i) => [i + 1, value]));

/** Probability that |t| is below `x`, by Simpson's rule over the density; `t = tan θ · √ν` makes the range finite. */
function probabilityWithin(x: number, freedom: number): number {
  const end = Math.atan(x / Math.sqrt(freedom));
  const density = (theta: number): number => Math.cos(theta) ** (freedom - 1);
  const integral = (to: number): number => {
    const n = 20_000;
    const h = to / n;
    let sum = density(0) + density(to);
    for (let i = 1; i < n; i++) sum += density(i * h) * (i % 2 === 1 ? 4 : 2);
    return (sum * h) / 3;
  };
  return integral(end) / integral(Math.PI / 2);
}

describe("Student's t", () => {
  test.each([1, 2, 3, 4, 7, 15, 29, 30, 31, 50, 200])(
    "with %i degrees of freedom holds 95% within its quantile",
    (freedom) => {
      // The table has four decimals.
      expect(Math.abs(probabilityWithin(studentQuantile(freedom), freedom) - 0.95)).toBeLessThan(2e-5);
    },
  );
});

test("the spread is the sample standard deviation, and unknown for one value", () => {
  expect(deviationOf([2, 4, 4, 4, 5, 5, 7, 9])).toBeCloseTo(Math.sqrt(32 / 7), 12);
  expect(deviationOf([3])).toBeUndefined();
});

test("the median of an even number of values lies between the middle two", () => {
  expect(medianOf([9, 1, 5])).toBe(5);
  expect(medianOf([9, 1, 5, 6])).toBe(5.5);
});

test("what a seed does to both variants cancels in the paired difference", () => {
  const { mean, interval, paired } = differenceOf(bySeed(5.1, 7.1, 6.1), bySeed(5, 7, 6));
  expect(paired).toBe(true);
  expect(mean).toBeCloseTo(0.1, 12);
  expect(interval!.lower).toBeCloseTo(0.1, 10);
  expect(verdictOf(differenceOf(bySeed(5.1, 7.1, 6.1), bySeed(5, 7, 6)))).toBe("worse");
});

test("a paired interval is the mean of differences ± t · s / √n", () => {
  const { mean, interval } = differenceOf(bySeed(1, 2, 4), bySeed(0, 0, 0));
  const reach = (4.3027 * Math.sqrt(7 / 3)) / Math.sqrt(3);
  expect(interval!.lower).toBeCloseTo(mean - reach, 12);
  expect(interval!.upper).toBeCloseTo(mean + reach, 12);
  expect(verdictOf(differenceOf(bySeed(1, 2, 4), bySeed(0, 0, 0)))).toBe("within the spread");
});

test("other seeds are compared by Welch's interval", () => {
  const other = new Map([
    [7, 10],
    [8, 12],
    [9, 14],
    [10, 12],
  ]);
  const { mean, interval, paired } = differenceOf(other, bySeed(1, 2, 3));
  expect({ mean, paired }).toEqual({ mean: 10, paired: false });
  const error = Math.sqrt(8 / 3 / 4 + 1 / 3);
  const freedom = error ** 4 / ((2 / 3) ** 2 / 3 + (1 / 3) ** 2 / 2);
  expect(Math.floor(freedom)).toBe(4);
  expect(interval!.upper).toBeCloseTo(10 + error * 2.7764, 10);
});

test("one seed gives a difference and no verdict", () => {
  const difference = differenceOf(bySeed(4), bySeed(5));
  expect(difference).toEqual({ mean: -1, paired: true });
  expect(verdictOf(difference)).toBe("one seed: unknown");
});
