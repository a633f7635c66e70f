import fc from "fast-check";
import { expect, test } from "vitest";
import { decay } from "./exponential.ts";

test("it is e^(−x) but for the last digits, from 0 to where that is no number any more", () => {
  const anywhere = fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 745, noNaN: true }));
  fc.assert(
    fc.property(anywhere, (x) => {
      expect(Math.abs(decay(x) - Math.exp(-x))).toBeLessThanOrEqual(2e-14 * Math.exp(-x));
    }),
    { numRuns: 5000 },
  );
});

test("its limits are exact", () => {
  expect([decay(0), decay(800), decay(Number.POSITIVE_INFINITY)]).toEqual([1, 0, 0]);
  expect(decay(Number.NaN)).toBeNaN();
});
