import fc from "fast-check";
import { expect, test } from "vitest";
import { createRandomStream, randomKey } from "../engine/random.ts";
import { softmax } from "../lm/softmax.ts";
import { describeNext, entropy, finalProbabilities, likeliest, lookAhead } from "./distribution.ts";
import { drawFrom } from "./sample.ts";
import { parseSamplingSettings } from "./settings.ts";

const logProbs = (...p: number[]): Float32Array => Float32Array.from(p, Math.log);
const sum = (values: Iterable<number>): number => [...values].reduce((a, b) => a + b, 0);

const settings = fc
  .record({
    temperature: fc.constantFrom(0, 0.1, 0.5, 1, 2, 1000),
    topK: fc.constantFrom(0, 1, 2, 10, 10_000),
    topP: fc.constantFrom(1e-9, 0.1, 0.5, 0.9, 1),
    minP: fc.constantFrom(0, 0.05, 0.5, 1),
  })
  .map(parseSamplingSettings);
const anyScores = fc
  .array(fc.float({ min: -200, max: 0, noNaN: true }), { minLength: 1, maxLength: 50 })
  .map((scores) => Float32Array.from(scores));

test("softmax sums to one, keeps the order and does not mind a shift, up to ±1e4", () => {
  fc.assert(
    fc.property(anyScores, fc.constantFrom(0, 1e4, -1e4), (scores, shift) => {
      const moved = scores.map((score) => score + shift);
      const p = softmax(moved);
      expect(sum(p)).toBeCloseTo(1, 12);
      for (const [i, a] of moved.entries())
        for (const [j, b] of moved.entries()) if (a > b) expect(p[i]!).toBeGreaterThanOrEqual(p[j]!);
    }),
  );
});

test("whatever the settings, what is sampled from sums to one and holds the likeliest token", () => {
  fc.assert(
    fc.property(anyScores, settings, (scores, chosen) => {
      const p = finalProbabilities(scores, chosen);
      expect(sum(p)).toBeCloseTo(1, 12);
      expect(p[likeliest(scores, 1)[0]!]!).toBeGreaterThan(0);
      expect(p.every((value) => value >= 0 && value <= 1)).toBe(true);
    }),
  );
});

test("filters see the model's own distribution: temperature comes last", () => {
  // At temperature 100 all four would be about equal; top-p 0.6 still keeps one.
  const chosen = parseSamplingSettings({ temperature: 100, topP: 0.6 });
  expect(Array.from(finalProbabilities(logProbs(0.7, 0.1, 0.1, 0.1), chosen))).toEqual([1, 0, 0, 0]);
});

test("a described distribution shows each candidate raw, tempered and final, removed ones too", () => {
  const chosen = parseSamplingSettings({ temperature: 0.5, topK: 2 });
  const { candidates, entropy: raw, finalEntropy } = describeNext(logProbs(0.2, 0.5, 0.3), chosen, 3);
  expect(candidates.map(({ id, kept }) => [id, kept])).toEqual([
    [1, true],
    [2, true],
    [0, false],
  ]);
  const squares = 0.25 + 0.09 + 0.04;
  for (const [i, p] of [0.5, 0.3, 0.2].entries()) {
    expect(candidates[i]!.raw).toBeCloseTo(p, 6); // log-probabilities are float32
    expect(candidates[i]!.tempered).toBeCloseTo((p * p) / squares, 6);
    expect(candidates[i]!.final).toBeCloseTo(i < 2 ? (p * p) / 0.34 : 0, 6);
  }
  expect(raw).toBeCloseTo(-(0.5 * Math.log(0.5) + 0.3 * Math.log(0.3) + 0.2 * Math.log(0.2)), 6);
  expect(finalEntropy).toBeCloseTo(entropy(Float64Array.of(0.25 / 0.34, 0.09 / 0.34)), 6);
});

test("what is described is what is sampled from", () => {
  fc.assert(
    fc.property(anyScores, settings, (scores, chosen) => {
      const p = finalProbabilities(scores, chosen);
      const { candidates } = describeNext(scores, chosen, scores.length);
      expect(candidates.map(({ final }) => final)).toEqual(candidates.map(({ id }) => p[id]));
      for (const { kept, final } of candidates) if (final > 0) expect(kept).toBe(true);
    }),
  );
});

test("from 1 token to 50,257: what is described follows from −Σ p ln p and the softmax, whatever is computed on the way", () => {
  const sizes = fc.oneof(fc.integer({ min: 1, max: 300 }), fc.constantFrom(4096, 50_257));
  const given = fc.record({ size: sizes, seed: fc.nat(), range: fc.constantFrom(0, 3, 15, 200), chosen: settings });
  fc.assert(
    fc.property(given, ({ size, seed, range, chosen }) => {
      const random = createRandomStream(randomKey(seed, "scores"));
      const scores = Float32Array.from({ length: size }, () => -range * random.uniform());
      const { temperature } = chosen;
      const [raw, final] = [softmax(scores), finalProbabilities(scores, chosen)];
      const { candidates, ...entropies } = describeNext(scores, chosen, 20);
      expect(entropies.entropy).toBeCloseTo(entropy(raw), 9);
      expect(entropies.finalEntropy).toBeCloseTo(entropy(final), 9);
      const tempered = temperature > 0 ? softmax(scores, temperature) : undefined;
      for (const [place, { id, ...shown }] of candidates.entries()) {
        expect(shown.raw).toBeCloseTo(raw[id]!, 12);
        expect(shown.tempered).toBeCloseTo(tempered ? tempered[id]! : Number(place === 0), 12);
        expect(shown.final).toBe(final[id]!);
      }
      expect(drawFrom(lookAhead(scores, chosen).final, seed, 7)).toEqual(drawnOf(final, seed));
    }),
    { numRuns: 150 },
  );
});

/** The draw of position 7 from probabilities written out: where their running sum passes the random number. */
function drawnOf(p: Float64Array, seed: number) {
  let rest = createRandomStream(randomKey(seed, "sample", 7)).uniform();
  const id = p.findIndex((share) => {
    rest -= share;
    return rest < 0;
  });
  return { id, probability: p[id]! };
}

test("the likeliest come in order, equals by id, and not more of them than there are", () => {
  expect(likeliest(logProbs(0.1, 0.4, 0.1, 0.4), 3)).toEqual([1, 3, 0]);
  expect(likeliest(logProbs(0.5, 0.5), 20)).toEqual([0, 1]);
});

test("entropy is ln n where all are alike and 0 where one is certain", () => {
  expect(entropy(new Float64Array(50).fill(1 / 50))).toBeCloseTo(Math.log(50), 12);
  expect(entropy(Float64Array.of(0, 1, 0))).toBeCloseTo(0, 12);
});
