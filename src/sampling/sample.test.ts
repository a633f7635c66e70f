import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { chiSquareTest } from "../../test/support/chiSquare.ts";
import { placeOfSum } from "../lm/exponential.ts";
import { softmax } from "../lm/softmax.ts";
import { finalProbabilities, lookAhead } from "./distribution.ts";
import { createField } from "./field.ts";
import { drawFrom } from "./sample.ts";
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
    const settings = parseSamplingSettings(given);
    const { final } = lookAhead(uneven, settings);
    const counts = new Float64Array(40);
    // Half along one text, half over seeds: both ways the numbers must be independent.
    for (let i = 0; i < draws / 2; i++) {
      counts[drawFrom(final, 0, i).id]!++;
      counts[drawFrom(final, 1 + i, 0).id]!++;
    }
    expect(chiSquareTest(counts, finalProbabilities(uneven, settings))).toBeGreaterThan(alpha);
  });

  test("and successive draws are independent: pairs follow the product", () => {
    const field = createField(Float32Array.of(0, -0.5, -1, -1.5));
    const p = softmax(field.scores);
    const draw = (position: number): number => drawFrom(field, 3, position).id;
    const counts = new Float64Array(16);
    for (let i = 0; i < draws / 2; i++) counts[4 * draw(2 * i) + draw(2 * i + 1)]!++;
    const pairs = Array.from(counts, (_, k) => p[k >> 2]! * p[k & 3]!);
    expect(chiSquareTest(counts, pairs)).toBeGreaterThan(alpha);
  });
});

test("every number in [0, 1) draws a token that is there, however little is left of the sum", () => {
  const scores = fc
    .array(fc.constantFrom(Number.NEGATIVE_INFINITY, -500, -39.9, -20, -2, 0), { maxLength: 20 })
    .chain((some) => fc.shuffledSubarray([...some, 0], { minLength: some.length + 1 }));
  const uniforms = fc.oneof(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), fc.constant(1 - 2 ** -53));
  fc.assert(
    fc.property(scores, uniforms, (given, uniform) => {
      const x = Float32Array.from(given);
      const sums = createField(x).sums();
      const { total } = sums;
      for (const wanted of [uniform * total, total, 2 * total]) {
        const { place, power } = placeOfSum(x, sums, 1, wanted);
        expect(x[place]!).toBeGreaterThan(-40);
        expect(power / Math.exp(x[place]!)).toBeCloseTo(1, 12);
      }
    }),
  );
});

test("the running sum decides: a third of the way through thirds is the second", () => {
  const scores = Float32Array.of(1 / 4, 1 / 4, 1 / 2).map(Math.log);
  const sums = createField(scores).sums();
  const at = [0, 0.2499, 0.2501, 0.4999, 0.5001, 0.9999].map((uniform) =>
    placeOfSum(scores, sums, 1, uniform * sums.total),
  );
  expect(at.map(({ place }) => place)).toEqual([0, 0, 1, 1, 2, 2]);
});

test("seed and position fix the token, and seed 0 is a seed like any other", () => {
  const field = createField(new Float32Array(1000));
  const text = (seed: number): number[] =>
    Array.from({ length: 8 }, (_, position) => drawFrom(field, seed, position).id);
  expect(text(0)).toEqual(text(0));
  const texts = [0, 1, 2, 2 ** 32, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER].map((seed) => text(seed).join());
  expect(new Set(texts).size).toBe(texts.length);
});

test("scores that are no numbers are refused", () => {
  const field = createField(new Float32Array(300).fill(Number.NaN));
  expect(() => drawFrom(field, 1, 0)).toThrow("sampling: expected scores");
});
