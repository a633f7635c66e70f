import { expect, test } from "vitest";
import { rungsOf, survivors } from "./halving.ts";

test("each rung has η times the steps of the one before, the last has all", () => {
  expect(rungsOf(900, 9, 3)).toEqual([100, 300, 900]);
  expect(rungsOf(1000, 8, 2)).toEqual([125, 250, 500, 1000]);
  expect(rungsOf(1000, 8, undefined)).toEqual([1000]);
  expect(rungsOf(1000, 2, 3)).toEqual([1000]);
  expect(rungsOf(2, 8, 2)).toEqual([1, 2]);
});

test("the best share goes on, in the old order", () => {
  const scores = new Map([
    ["a", 3],
    ["b", 1],
    ["c", 2],
    ["d", 4],
  ]);
  expect(survivors(scores, 2)).toEqual(["b", "c"]);
  expect(survivors(scores, 4)).toEqual(["b"]);
});

test("what diverged or failed never goes on, even where too little is left", () => {
  const scores = new Map([
    ["a", Number.NaN],
    ["b", Number.POSITIVE_INFINITY],
    ["c", 9],
    ["d", Number.NaN],
  ]);
  expect(survivors(scores, 2)).toEqual(["c"]);
  expect(survivors(new Map([["a", Number.NaN]]), 2)).toEqual([]);
});
