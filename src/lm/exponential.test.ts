import fc from "fast-check";
import { expect, test } from "vitest";
import { cumulantsAt, decay, readLogProbs, sumOfPowers, writePowers } from "./exponential.ts";

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

/** Scores with ties and masks, the first of them not masked. */
const scores = fc
  .array(fc.oneof(fc.constantFrom(Number.NEGATIVE_INFINITY, -50, 0), fc.double({ min: -45, max: 5, noNaN: true })), {
    maxLength: 30,
  })
  .map((rest) => Float64Array.of(1, ...rest));

test("powers, their sum and their cumulants are those of Math.exp", () =>
  fc.assert(
    fc.property(scores, fc.double({ min: 0.1, max: 3, noNaN: true }), (given, beta) => {
      const top = Math.max(...given);
      const expected = Array.from(given, (score) => Math.exp(score - top));
      const powers = new Float64Array(given.length).fill(Number.NaN);
      const total = expected.reduce((a, b) => a + b);
      expect(writePowers(given, top, powers)).toBeCloseTo(total, 12);
      expect(sumOfPowers(given, top)).toBeCloseTo(total, 12);
      for (const [i, power] of expected.entries()) expect(powers[i]).toBeCloseTo(power, 13);
      const weights = Array.from(given, (score) => Math.exp(beta * (score - top)));
      const all = weights.reduce((a, b) => a + b);
      const mean = (of: (score: number) => number): number =>
        weights.reduce((sum, w, i) => (w > 0 ? sum + (w / all) * of(given[i]!) : sum), 0);
      const first = mean((score) => score);
      const { mean: got, variance, third } = cumulantsAt(given, top, beta);
      expect(got).toBeCloseTo(first, 9);
      expect(variance).toBeCloseTo(
        mean((score) => (score - first) ** 2),
        8,
      );
      expect(third).toBeCloseTo(
        mean((score) => (score - first) ** 3),
        6,
      );
    }),
  ));

test("of logarithms of probabilities: probabilities within [0, 1], their sums, and the likely places in order", () =>
  fc.assert(
    fc.property(scores, (given) => {
      const logProbs = given.map((score) => Math.min(1e-7, score - 1)); // as float32 leaves them, a little above 0
      const probabilities = new Float64Array(given.length);
      const places = new Int32Array(given.length + 1);
      const { sum, squares, entropy, likely } = readLogProbs(logProbs, probabilities, 0.01, places);
      const expected = Array.from(logProbs, (log) => Math.min(1, Math.exp(log)));
      for (const [i, p] of expected.entries()) expect(probabilities[i]).toBeCloseTo(p, 13);
      const total = (of: (p: number, i: number) => number): number => expected.reduce((t, p, i) => t + of(p, i), 0);
      expect(sum).toBeCloseTo(
        total((p) => p),
        11,
      );
      expect(squares).toBeCloseTo(
        total((p) => p * p),
        11,
      );
      expect(entropy).toBeCloseTo(
        total((p, i) => (p > 0 ? -p * Math.min(0, logProbs[i]!) : 0)),
        11,
      );
      const above = Array.from(probabilities.keys()).filter((i) => probabilities[i]! >= 0.01);
      expect([...places.subarray(0, likely)]).toEqual(above);
    }),
  ));
