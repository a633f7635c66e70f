// Predictive entropy and its two parts, and averaging, against the definitions on probabilities and the laws they obey.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { tokenUncertainty } from "./uncertainty.ts";

const members = fc
  .record({ classes: fc.integer({ min: 1, max: 6 }), size: fc.integer({ min: 1, max: 5 }) })
  .chain(({ classes, size }) =>
    fc.array(fc.array(fc.double({ min: -6, max: 6, noNaN: true }), { minLength: classes, maxLength: classes }), {
      minLength: size,
      maxLength: size,
    }),
  )
  .map((rows) => rows.map(normalised));

function normalised(scores: number[]): Float64Array {
  const total = Math.log(scores.reduce((sum, z) => sum + Math.exp(z), 0));
  return Float64Array.from(scores, (z) => z - total);
}

const mean = (values: number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;
const entropy = (p: number[]) => -p.reduce((sum, x) => sum + (x > 0 ? x * Math.log(x) : 0), 0);

describe("the uncertainty of a token", () => {
  test("agrees with the definitions on probabilities", () => {
    fc.assert(
      fc.property(members, (rows) => {
        const p = rows.map((row) => [...row].map(Math.exp));
        const average = p[0]!.map((_, v) => mean(p.map((row) => row[v]!)));
        const geometric = p[0]!.map((_, v) => p.reduce((product, row) => product * row[v]!, 1) ** (1 / p.length));
        const got = tokenUncertainty(rows, 0);
        expect(got.predictiveEntropy).toBeCloseTo(entropy(average), 10);
        expect(got.expectedEntropy).toBeCloseTo(mean(p.map(entropy)), 10);
        expect(got.probabilityNll).toBeCloseTo(-Math.log(average[0]!), 10);
        expect(got.logProbabilityNll).toBeCloseTo(-Math.log(geometric[0]! / geometric.reduce((a, b) => a + b)), 10);
        expect(got.memberNll).toBeCloseTo(mean(p.map((row) => -Math.log(row[0]!))), 10);
      }),
    );
  });

  test("is expected entropy plus mutual information, which lies between 0 and log M", () => {
    fc.assert(
      fc.property(members, (rows) => {
        const { predictiveEntropy, expectedEntropy, mutualInformation } = tokenUncertainty(rows, 0);
        expect(predictiveEntropy).toBeCloseTo(expectedEntropy + mutualInformation, 10);
        expect(mutualInformation).toBeGreaterThanOrEqual(0);
        expect(mutualInformation).toBeLessThanOrEqual(Math.log(rows.length) + 1e-12);
      }),
    );
  });

  test("has no mutual information between equal members, and averaging them changes nothing", () => {
    fc.assert(
      fc.property(members, ([row]) => {
        const got = tokenUncertainty([row!, row!, row!], 0);
        expect(got.mutualInformation).toBeCloseTo(0, 12);
        expect(got.probabilityNll).toBeCloseTo(-row![0]!, 10);
        expect(got.logProbabilityNll).toBeCloseTo(-row![0]!, 10);
      }),
    );
  });

  test("is never worse after averaging than a member is on average", () => {
    fc.assert(
      fc.property(members, (rows) => {
        const { memberNll, probabilityNll, logProbabilityNll } = tokenUncertainty(rows, 0);
        expect(probabilityNll).toBeLessThanOrEqual(memberNll + 1e-12);
        expect(logProbabilityNll).toBeLessThanOrEqual(memberNll + 1e-12);
      }),
    );
  });

  test("is one bit of pure disagreement for two certain members that contradict each other", () => {
    const certain = [Float64Array.of(0, Number.NEGATIVE_INFINITY), Float64Array.of(Number.NEGATIVE_INFINITY, 0)];
    const got = tokenUncertainty(certain, 0);
    expect(got.mutualInformation).toBeCloseTo(Math.LN2, 14);
    expect(got.predictiveEntropy).toBeCloseTo(Math.LN2, 14);
    expect(got.expectedEntropy).toBeCloseTo(0, 14);
    expect(got.probabilityNll).toBeCloseTo(Math.LN2, 14);
    expect(got.logProbabilityNll).toBe(Number.POSITIVE_INFINITY);
  });
});
