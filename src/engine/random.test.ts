import { expect, test } from "vitest";
import { createRandomStream, randomKey, threefry } from "./random.ts";

// Known answers published with Random123 (kat_vectors, threefry2x32, 20 rounds).
test.each([
  [
    [0, 0],
    [0, 0],
    [0x6b200159, 0x99ba4efe],
  ],
  [
    [0xffffffff, 0xffffffff],
    [0xffffffff, 0xffffffff],
    [0x1cb996fc, 0xbb002be7],
  ],
  [
    [0x13198a2e, 0x03707344],
    [0x243f6a88, 0x85a308d3],
    [0xc4923a9c, 0x483df7a0],
  ],
] as const)("threefry of key %j and counter %j is %j", (key, counter, expected) => {
  expect(threefry(key, counter[0], counter[1])).toEqual(expected);
});

test("streams, steps and seeds differ, seed 0 and large seeds included", () => {
  const keys = [
    randomKey(0, "batch"),
    randomKey(1, "batch"),
    randomKey(0, "dropout"),
    randomKey(0, "batch", 1),
    randomKey(2 ** 32, "batch"),
  ];
  expect(new Set(keys.map(String)).size).toBe(keys.length);
});

test("uniform and normal have the moments they should", () => {
  const n = 50_000;
  const random = createRandomStream(randomKey(7, "moments"));
  const uniforms = Array.from({ length: n }, random.uniform);
  const normals = Array.from({ length: n }, random.normal);
  const mean = (x: number[]) => x.reduce((a, b) => a + b, 0) / n;
  // Five standard errors each.
  expect(Math.abs(mean(uniforms) - 0.5)).toBeLessThan((5 * 0.2887) / Math.sqrt(n));
  expect(Math.abs(mean(normals))).toBeLessThan(5 / Math.sqrt(n));
  expect(Math.abs(mean(normals.map((x) => x * x)) - 1)).toBeLessThan((5 * Math.SQRT2) / Math.sqrt(n));
});

test("below covers its range and nothing else", () => {
  const random = createRandomStream(randomKey(1, "below"));
  const seen = new Set(Array.from({ length: 500 }, () => random.below(7)));
  expect([...seen].sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
});
