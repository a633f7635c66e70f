import fc from "fast-check";
import { expect, test } from "vitest";
import { cutAfter, emptySeries, extend, meanOf } from "./series.ts";

const values = (count: number) => Array.from({ length: count }, (_, i) => ({ step: i + 1, value: Math.sin(i) }));

test("a short series keeps every value", () => {
  const { buckets } = extend(emptySeries, values(5));
  expect(buckets.map(meanOf)).toEqual(values(5).map(({ value }) => value));
  expect(buckets.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5]);
});

test("however long, it stays bounded and keeps sum, extremes and last step", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 8 }), (pieces) => {
      const all = values(pieces.reduce((a, b) => a + b, 0));
      let series = emptySeries;
      let at = 0;
      for (const piece of pieces) {
        series = extend(series, all.slice(at, at + piece));
        at += piece;
      }
      expect(series.buckets.length).toBeLessThanOrEqual(1024);
      const total = series.buckets.reduce((sum, bucket) => sum + bucket.sum, 0);
      expect(total).toBeCloseTo(
        all.reduce((sum, { value }) => sum + value, 0),
        9,
      );
      expect(series.buckets.reduce((sum, { count }) => sum + count, 0)).toBe(all.length);
      expect(series.buckets.at(-1)!.step).toBe(all.length);
      expect(Math.min(...series.buckets.map(({ least }) => least))).toBe(Math.min(...all.map(({ value }) => value)));
    }),
    { numRuns: 8 },
  );
});

test("what is not finite is no point of a curve", () => {
  const series = extend(emptySeries, [
    { step: 1, value: Number.NaN },
    { step: 2, value: Number.POSITIVE_INFINITY },
    { step: 3, value: 2 },
  ]);
  expect(series.buckets).toMatchObject([{ step: 3, sum: 2 }]);
});

test("a series is cut back to a step", () => {
  expect(cutAfter(extend(emptySeries, values(9)), 4).buckets.length).toBe(4);
});
