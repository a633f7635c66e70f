import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { chiSquareTest } from "../../test/support/chiSquare.ts";
import { finalProbabilities } from "./distribution.ts";
import { drawAt, drawToken } from "./sample.ts";
import { parseSamplingSettings } from "./settings.ts";

const draws = 200_000;
/** A sound sampler fails one test in a thousand by chance; seeds are fixed, so none does tomorrow. */
const alpha = 0.001;

const uneven = Float32Array.from({ length: 40 }, (_, id) => -0.17 * ((id * 7) % 40));

describe("200,000 draws follow the distribution (chi-square)", () => {
  test.each([
    { temperature: 0.5 },
    { temperature: 1 },
    { temperature: 2 },
    { temperature: 1, topK: 5 },
    { temperature: 2, topP: 0.8 },
    { temperature: 0.5, minP: 0.1 },
    { temperature: 1.3, topK: 20, topP: 0.9, minP: 0.02 },
    { temperature: 0.8 },
    { topP: 0.5 },
    { minP: 0.3 },
    { typical: 0.7 },
    { topNSigma: 1 },
    { epsilon: 0.02 },
    { eta: 0.02 },
    { mirostat: 3 },
    { temperature: 1, dynamicTemperature: 0.5 },
    { xtc: 1, xtcThreshold: 0.05 },
    { logitBias: { 3: 2, 7: -1 } },
    { typical: 0.9, temperature: 1.5 },
    { order: ["temperature" as const, "top-p" as const], temperature: 2, topP: 0.7 },
  ])("with %o", (given) => {
    const probabilities = finalProbabilities(uneven, parseSamplingSettings(given));
    const counts = new Float64Array(40);
    // Half along one text, half over seeds: both ways the numbers must be independent.
    for (let i = 0; i < draws / 2; i++) {
      counts[drawToken(probabilities, 0, i)]!++;
      counts[drawToken(probabilities, 1 + i, 0)]!++;
    }
    expect(chiSquareTest(counts, probabilities)).toBeGreaterThan(alpha);
  });

  test("and successive draws are independent: pairs follow the product", () => {
    const p = finalProbabilities(Float32Array.of(0, -0.5, -1, -1.5), parseSamplingSettings({}));
    const counts = new Float64Array(16);
    for (let i = 0; i < draws / 2; i++) counts[4 * drawToken(p, 3, 2 * i) + drawToken(p, 3, 2 * i + 1)]!++;
    const pairs = Array.from(counts, (_, k) => p[k >> 2]! * p[k & 3]!);
    expect(chiSquareTest(counts, pairs)).toBeGreaterThan(alpha);
  });
});

test("a token of probability 0 is never drawn, and every number in [0, 1) draws one", () => {
  const weights = fc.array(fc.constantFrom(0, 1e-300, 1e-9, 0.1, 1), { minLength: 1, maxLength: 20 });
  const uniforms = fc.oneof(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), fc.constant(1 - 2 ** -53));
  fc.assert(
    fc.property(weights, uniforms, (given, uniform) => {
      fc.pre(given.some((weight) => weight > 0));
      expect(given[drawAt(Float64Array.from(given), uniform)]).toBeGreaterThan(0);
    }),
  );
});

test("the running sum decides: a third of the way through thirds is the second", () => {
  const thirds = Float64Array.of(1 / 4, 1 / 4, 1 / 2);
  expect([0, 0.2499, 0.25, 0.4999, 0.5, 0.9999].map((uniform) => drawAt(thirds, uniform))).toEqual([0, 0, 1, 1, 2, 2]);
});

test("seed and position fix the token, and seed 0 is a seed like any other", () => {
  const p = new Float64Array(1000).fill(1 / 1000);
  const text = (seed: number): number[] => Array.from({ length: 8 }, (_, position) => drawToken(p, seed, position));
  expect(text(0)).toEqual(text(0));
  const texts = [0, 1, 2, 2 ** 32, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER].map((seed) => text(seed).join());
  expect(new Set(texts).size).toBe(texts.length);
});
