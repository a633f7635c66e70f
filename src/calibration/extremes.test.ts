// Metrics and repairs on any data: few samples, ties, one class, certainty and impossibility never make a number that is none.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { measure, metricNames, metrics } from "./measure.ts";
import { inMemory, type Predictions } from "./predictions.ts";
import { fitIsotonic, isotonicConfidence } from "./repairs/isotonic.ts";
import { fitRepair, parseRepair, repairKinds, rowRepair } from "./repairs/table.ts";

/** Rows with ties, certainty and impossibility among ordinary ones. */
const row = (V: number) =>
  fc
    .oneof(
      fc.array(fc.constantFrom(-1e4, -40, -1, 0), { minLength: V, maxLength: V }),
      fc.array(fc.double({ min: -5, max: 5, noNaN: true }), { minLength: V, maxLength: V }),
      fc
        .nat(V - 1)
        .map((certain) => Array.from({ length: V }, (_, v) => (v === certain ? 0 : Number.NEGATIVE_INFINITY))),
    )
    .map((scores) => {
      const largest = Math.max(...scores);
      const total = Math.log(scores.reduce((sum, z) => sum + Math.exp(z - largest), 0)) + largest;
      return scores.map((z) => z - total);
    });

const source = fc.integer({ min: 1, max: 4 }).chain((V) =>
  fc
    .tuple(
      fc.array(fc.tuple(row(V), fc.nat(V - 1)), { maxLength: 6 }),
      fc.constantFrom(1, 1, 7), // the same rows again and again: constant confidence
      fc.boolean(), // only ever right
    )
    .map(([rows, times, right]): Predictions => {
      const all = Array.from({ length: times }, () => rows).flat();
      const targets = all.map(([scores, target]) => (right ? scores.indexOf(Math.max(...scores)) : target));
      return inMemory(V, Float64Array.from(all.flatMap(([scores]) => scores)), Int32Array.from(targets));
    }),
);

describe.each(repairKinds)("%s", (kind) => {
  test("gives probabilities in [0, 1] that sum to 1, for data it was fitted on and others", () =>
    fc.assert(
      fc.asyncProperty(source, fc.array(row(4), { minLength: 3, maxLength: 3 }), async (predictions, others) => {
        const V = predictions.classes;
        const repair = rowRepair(await fitRepair(kind, predictions));
        const fitted = (predictions.batches() as { logProbs: Float64Array }[])[0]!.logProbs;
        const rows = [fitted.subarray(0, V), ...(V === 4 ? others.map((each) => Float64Array.from(each)) : [])];
        for (const each of rows.filter(({ length }) => length > 0)) {
          const repaired = new Float64Array(V).fill(Number.NaN);
          repair(each, repaired);
          const probabilities = repaired.map(Math.exp);
          expect(Math.min(...probabilities)).toBeGreaterThanOrEqual(0);
          expect(Math.max(...probabilities)).toBeLessThanOrEqual(1 + 1e-12);
          expect(probabilities.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 9);
        }
      }),
      { numRuns: 60 },
    ));

  test("loads back to identical outputs", () =>
    fc.assert(
      fc.asyncProperty(source, async (predictions) => {
        const V = predictions.classes;
        const fitted = await fitRepair(kind, predictions);
        const loaded = parseRepair("here", JSON.parse(JSON.stringify(fitted)));
        const [one, other] = [new Float64Array(V), new Float64Array(V)];
        const flat = Float64Array.from({ length: V }, (_, v) => Math.log((v + 1) / ((V * (V + 1)) / 2)));
        rowRepair(fitted)(flat, one);
        rowRepair(loaded)(flat, other);
        expect(other).toEqual(one);
      }),
      { numRuns: 20 },
    ));
});

test("every metric stays in its range and is a number or infinite, intervals too", () =>
  fc.assert(
    fc.asyncProperty(source, async (predictions) => {
      const measured = await measure(predictions, undefined, { draws: 5 });
      for (const name of metricNames) {
        const [least, most] = metrics[name].range;
        for (const figure of Object.values(measured.metrics[name])) {
          expect(figure, name).toBeGreaterThanOrEqual(least - 1e-12);
          expect(figure, name).toBeLessThanOrEqual(most + 1e-12);
        }
      }
      for (const { lower, accuracy, upper } of measured.bins)
        expect(0 <= lower && lower <= accuracy && accuracy <= upper && upper <= 1).toBe(true);
    }),
    { numRuns: 150 },
  ));

test("a confidence of 1 belongs to the last bin", async () => {
  const certain = inMemory(2, Float64Array.of(0, Number.NEGATIVE_INFINITY), Int32Array.of(0));
  const { bins } = await measure(certain);
  expect(bins.map(({ count }) => count)).toEqual([...Array(14).fill(0), 1]);
});

test("temperature leaves every argmax alone", () =>
  fc.assert(
    fc.property(row(4), fc.double({ min: 0.01, max: 100, noNaN: true }), (scores, temperature) => {
      const repaired = new Float64Array(4);
      rowRepair({ kind: "temperature", temperature })(Float64Array.from(scores), repaired);
      const top = (values: ArrayLike<number>): number => Array.from(values).indexOf(Math.max(...Array.from(values)));
      expect(scores[top(repaired)]).toBe(Math.max(...scores)); // close ones may become equal by rounding
      expect(repaired[top(scores)]).toBe(Math.max(...repaired));
    }),
  ));

test("isotonic regression is monotone, whatever it was fitted on", () => {
  const pairs = fc.array(fc.tuple(fc.constantFrom(0.1, 0.25, 0.5, 0.500001, 0.9, 1), fc.boolean()), { maxLength: 30 });
  fc.assert(
    fc.property(pairs, (given) => {
      const repair = fitIsotonic({
        logTop: Float64Array.from(given, ([c]) => Math.log(c)),
        logRest: Float64Array.from(given, ([c]) => Math.log1p(-c)),
        correct: Uint8Array.from(given, ([, right]) => Number(right)),
      });
      const values = Array.from({ length: 201 }, (_, i) => isotonicConfidence(repair, i / 200));
      for (let i = 1; i < values.length; i++) expect(values[i]).toBeGreaterThanOrEqual(values[i - 1]!);
    }),
  );
});

test("matrix scaling refuses what is too large for it; damaged files are told by path", async () => {
  const large = inMemory(300, new Float64Array(300), new Int32Array(0));
  await expect(fitRepair("matrix", large)).rejects.toThrow("matrix scaling: at most 256 classes, got 300");
  expect(() => parseRepair("x.json", { kind: "temperature", temperature: 0 })).toThrow("temperature: expected");
});
