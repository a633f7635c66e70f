import { expect, test } from "vitest";
import { chiSquareTail, chiSquareTest } from "./chiSquare.ts";

test("the tail equals printed tables of critical values", () => {
  for (const [degrees, at05, at001] of [
    [1, 3.841, 10.828],
    [2, 5.991, 13.816],
    [10, 18.307, 29.588],
    [100, 124.342, 149.449],
  ] as const) {
    expect(chiSquareTail(at05, degrees)).toBeCloseTo(0.05, 4); // tables have three decimals
    expect(chiSquareTail(at001, degrees)).toBeCloseTo(0.001, 5);
  }
  expect(chiSquareTail(2, 2)).toBeCloseTo(Math.exp(-1), 12);
});

test("fitting counts pass, others do not", () => {
  expect(chiSquareTest([500, 300, 200], [0.5, 0.3, 0.2])).toBe(1);
  expect(chiSquareTest([560, 270, 170], [0.5, 0.3, 0.2])).toBeLessThan(0.001);
  expect(chiSquareTest([999, 1], [1, 0])).toBe(0);
});
