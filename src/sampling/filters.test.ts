import fc from "fast-check";
import { expect, test } from "vitest";
import { softmax } from "../lm/softmax.ts";

import { createField, expand, type Scores } from "./field.ts";
import * as filters from "./filters.ts";

type Filter = (scores: Scores) => Scores;
/** A filter of fields as one of whole vocabularies. */
const whole =
  (filter: filters.Filter): Filter =>
  (scores) =>
    expand(filter(createField(scores)), scores.length);
const topK = (k: number) => whole(filters.topK(k));
const topP = (mass: number) => whole(filters.topP(mass));
const minP = (ratio: number) => whole(filters.minP(ratio));
const temperature = (tau: number) => whole(filters.temperature(tau));

/** Scores of 1 to 3,000 tokens: spread or full of ties, some removed already, at least one left. */
const scores: fc.Arbitrary<Scores> = fc
  .record({
    size: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 3000 })),
    seed: fc.integer(),
    range: fc.constantFrom(0, 1, 5, 100, 20_000),
    rounded: fc.boolean(),
    removed: fc.constantFrom(0, 0.5, 0.95),
    shift: fc.constantFrom(0, -1e4, 1e4),
  })
  .map(({ size, seed, range, rounded, removed, shift }) => {
    let state = seed >>> 0;
    const uniform = (): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 2 ** 32;
    };
    const kept = Math.floor(uniform() * size);
    return Float32Array.from({ length: size }, (_, id) => {
      const score = -range * uniform();
      const gone = id !== kept && uniform() < removed;
      return gone ? Number.NEGATIVE_INFINITY : shift + (rounded ? Math.round(score) : score);
    });
  });

/** Ids that are there at all. */
const idsIn = (x: Scores): number[] => Array.from(x.keys()).filter((id) => x[id]! > Number.NEGATIVE_INFINITY);

const keptBy = (filter: Filter, x: Scores): number[] => idsIn(filter(x));

/** Ids that are there at all, from the likeliest on; of equals the lowest id first. */
const ranked = (x: Scores): number[] => idsIn(x).sort((a, b) => x[b]! - x[a]! || a - b);

/** One comparison for thousands of tokens. */
const wrong = (ids: Iterable<number>, isRight: (id: number) => boolean): number[] =>
  [...ids].filter((id) => !isRight(id));

const ascending = (ids: number[]): number[] => ids.toSorted((a, b) => a - b);

/** Scores of a whole GPT-2 vocabulary: spread, and full of ties. */
const large = [0, 1].map((rounded) =>
  Float32Array.from({ length: 50_257 }, (_, id) => {
    const score = -12 * ((Math.imul(id + 1, 2_654_435_761) >>> 0) / 2 ** 32);
    return rounded ? Math.round(score) : score;
  }),
);

/** Property over scores and a setting; some of the settings on the large ones too. */
function forAll<T>(setting: fc.Arbitrary<T>, law: (x: Scores, setting: T) => void): void {
  fc.assert(fc.property(scores, setting, law), { numRuns: 300 });
  for (const [seed, x] of large.entries()) for (const value of fc.sample(setting, { numRuns: 2, seed })) law(x, value);
}

test("top-k keeps the k first of the ranking, and all where k is 0 or not below V", () => {
  forAll(fc.integer({ min: 0, max: 3100 }), (x, k) => {
    const expected = k === 0 ? ranked(x) : ranked(x).slice(0, k);
    expect(keptBy(topK(k), x)).toEqual(ascending(expected));
  });
});

test("top-p keeps the shortest beginning of the ranking whose probabilities reach p", () => {
  const masses = fc.oneof(
    fc.double({ min: 1e-6, max: 1, noNaN: true }),
    fc.constantFrom(1e-300, 0.5, 0.9, 1 - 1e-9, 1),
  );
  forAll(masses, (x, mass) => {
    const kept = keptBy(topP(mass), x);
    const order = ranked(x);
    expect(kept).toEqual(ascending(order.slice(0, kept.length)));
    const p = softmax(x);
    const massOf = (count: number): number => order.slice(0, count).reduce((sum, id) => sum + p[id]!, 0);
    const rounding = 1e-9; // two orders of summation over up to 3,000 float64s
    expect(kept.length).toBeGreaterThan(0);
    expect(massOf(kept.length)).toBeGreaterThan(mass - rounding);
    if (mass < 1) expect(massOf(kept.length - 1)).toBeLessThan(mass + rounding);
    else expect(kept.length).toBe(order.length);
  });
});

test("min-p keeps exactly the tokens at least that share as likely as the likeliest", () => {
  const ratios = fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(0, 1e-300, 0.05, 1));
  forAll(ratios, (x, ratio) => {
    const kept = new Set(keptBy(minP(ratio), x));
    const best = x[ranked(x)[0]!]!;
    const isRight = (id: number): boolean => {
      const share = Math.exp(x[id]! - best);
      // A float32 score near 2e4 is spaced by 2e-3: within that a token may fall on either side.
      const slack = 4e-3 * Math.max(1e-3, Math.abs(x[id]!) / 2e4);
      if (share > ratio * Math.exp(slack)) return kept.has(id);
      return share >= ratio * Math.exp(-slack) || !kept.has(id);
    };
    expect(wrong(idsIn(x), isRight)).toEqual([]);
    expect(kept.has(ranked(x)[0]!)).toBe(true);
  });
});

test("filters leave what they keep as it was, and never touch their input", () => {
  const all = fc.constantFrom<Filter>(topK(3), topP(0.7), minP(0.1), topK(0), topP(1), minP(0), temperature(1));
  forAll(all, (x, filter) => {
    const copy = x.slice();
    const y = filter(x);
    expect(x).toEqual(copy);
    expect(wrong(y.keys(), (id) => y[id] === x[id] || y[id] === Number.NEGATIVE_INFINITY)).toEqual([]);
  });
});

test("a filter twice is the filter once", () => {
  const all = fc.constantFrom<Filter>(topK(1), topK(7), minP(0.1), temperature(0));
  forAll(all, (x, filter) => {
    expect(filter(filter(x))).toEqual(filter(x));
  });
});

test("temperature gives probabilities in proportion to p to the power of 1/τ", () => {
  forAll(fc.double({ min: 0.05, max: 1000, noNaN: true }), (x, tau) => {
    const tempered = softmax(temperature(tau)(x));
    const best = x[ranked(x)[0]!]!;
    const powers = Array.from(x, (score) => Math.exp((score - best) / tau));
    const total = powers.reduce((a, b) => a + b, 0);
    // Tempered scores are float32 up to 700 in size where a probability can still be told from 0.
    expect(wrong(x.keys(), (id) => Math.abs(tempered[id]! - powers[id]! / total) < 5e-5)).toEqual([]);
  });
});

test("temperature 0 leaves the likeliest token alone, of several the lowest id", () => {
  forAll(fc.constant(0), (x, tau) => {
    expect(keptBy(temperature(tau), x)).toEqual([ranked(x)[0]]);
    expect(softmax(temperature(tau)(x))[ranked(x)[0]!]).toBe(1);
  });
});

test("as temperature falls towards 0, what is left is the argmax and its equals, without overflow", () => {
  forAll(fc.constantFrom(1e-30, 5e-324), (x, tau) => {
    const largest = x[ranked(x)[0]!];
    const best = idsIn(x).filter((id) => x[id] === largest);
    const p = softmax(temperature(tau)(x));
    expect(wrong(best, (id) => Math.abs(p[id]! - 1 / best.length) < 1e-12)).toEqual([]);
  });
});

test("temperature changes no order", () => {
  forAll(fc.double({ min: 0.05, max: 1000, noNaN: true }), (x, tau) => {
    const y = temperature(tau)(x);
    const order = ranked(x);
    expect(order.filter((id, i) => i > 0 && y[order[i - 1]!]! < y[id]!)).toEqual([]);
  });
});

test("top-p tells scores apart that lie nearer to each other than the float32 numbers near their distance from the highest", () => {
  const spacing = 2 ** -27; // of float32 at 0.1; at 7.9 it is 64 times as wide
  const near = Math.fround(0.1);
  const scores = Float32Array.from({ length: 65 }, (_, id) => (id === 0 ? 8 : near + ((id * 37) % 64) * spacing));
  expect(new Set(scores).size).toBe(65);
  const p = softmax(scores);
  const ranking = [...scores.keys()].sort((a, b) => scores[b]! - scores[a]!);
  for (const count of [2, 20, 40, 64]) {
    const mass = ranking.slice(0, count).reduce((sum, id) => sum + p[id]!, 0) - p[1]! / 2;
    expect(keptBy(topP(mass), scores)).toEqual(ascending(ranking.slice(0, count)));
  }
});
