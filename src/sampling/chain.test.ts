/** @file Every filter against a definition of its own, on random distributions and texts. The classic three stand in filters.test.ts. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createRandomStream, randomKey } from "../engine/random.ts";
import { softmax } from "../lm/softmax.ts";
import { applyChain, chainOf } from "./chain.ts";
import { finalProbabilities } from "./distribution.ts";
import { createField, expand } from "./field.ts";
import type { FilterContext } from "./filters.ts";
import {
  type FilterName,
  filterNames,
  parseFilters,
  parseSamplingSettings,
  type SamplingSettings,
} from "./settings.ts";

type Given = Partial<SamplingSettings>;

/** Scores of V tokens, some removed, one at least left; a pure function of its arguments. */
function makeScores(V: number, seed: number, range: number, gone: number): Float32Array {
  const random = createRandomStream(randomKey(seed, "scores"));
  const kept = random.below(V);
  return Float32Array.from({ length: V }, (_, id) => {
    const score = -range * random.uniform();
    return id !== kept && random.uniform() < gone ? Number.NEGATIVE_INFINITY : score;
  });
}
const scores = fc
  .record({
    V: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 2000 })),
    seed: fc.nat(),
    range: fc.constantFrom(0, 1, 8, 60),
    gone: fc.constantFrom(0, 0.5, 0.9),
  })
  .map(({ V, seed, range, gone }) => makeScores(V, seed, range, gone));
const large = [1, 2].map((seed) => makeScores(50_257, seed, 12, 0));

/** Scores through a chain, over the whole vocabulary again. */
const through = (x: Float32Array, settings: SamplingSettings, context?: FilterContext): Float32Array =>
  expand(applyChain(createField(x), chainOf(settings), context), x.length);

/** What remains after one filter, the others off. */
const filtered = (x: Float32Array, name: FilterName, given: Given, context?: FilterContext): Float32Array =>
  through(x, parseSamplingSettings({ ...given, order: [name] }), context);

const there = (x: Float32Array): number[] => [...x.keys()].filter((id) => x[id]! > Number.NEGATIVE_INFINITY);
const entropy = (p: Float64Array): number => p.reduce((sum, x) => (x > 0 ? sum - x * Math.log(x) : sum), 0);
const top = (x: Float32Array): number => x.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);

/** One answer for thousands of tokens: their difference would take minutes to print. */
const sameIds = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((id, i) => id === b[i]);

const sameScores = (a: Float32Array, b: Float32Array): boolean =>
  a.length === b.length && a.every((score, id) => Object.is(score, b[id]));

/** Holds a law on random scores and on two of 50,257 tokens. */
function forAll<T>(setting: fc.Arbitrary<T>, law: (x: Float32Array, setting: T) => void): void {
  fc.assert(fc.property(scores, setting, law), { numRuns: 100, endOnFailure: true });
  for (const [i, x] of large.entries()) for (const value of fc.sample(setting, { numRuns: 2, seed: i })) law(x, value);
}

/** The kept tokens are those of a share or more, but for rounding at the border, and the likeliest. */
function expectFloor(x: Float32Array, y: Float32Array, floor: number): void {
  const p = softmax(x);
  const best = p.reduce((a, b) => Math.max(a, b), 0);
  const wrong = there(x).filter((id) => {
    const kept = y[id]! > Number.NEGATIVE_INFINITY;
    if (Math.abs(p[id]! - floor) < 1e-9 * floor) return false;
    return kept !== (p[id]! > floor || p[id] === best);
  });
  expect(wrong.slice(0, 5)).toEqual([]);
}

const share = fc.oneof(fc.double({ min: 1e-6, max: 1, noNaN: true }), fc.constantFrom(1e-9, 0.5, 1));

describe("filters of one distribution", () => {
  test("typical keeps the fewest tokens closest to the entropy that reach the mass", () =>
    forAll(fc.double({ min: 0.01, max: 0.99, noNaN: true }), (x, mass) => {
      const p = softmax(x);
      const expected = entropy(p);
      const distance = Array.from(p, (value) => Math.abs(-Math.log(value) - expected));
      const kept = there(filtered(x, "typical", { typical: mass }));
      const rest = new Set(there(x));
      for (const id of kept) rest.delete(id);
      const farthest = kept.reduce((most, id) => Math.max(most, distance[id]!), 0);
      const nearest = [...rest].reduce((least, id) => Math.min(least, distance[id]!), Number.POSITIVE_INFINITY);
      expect(farthest).toBeLessThanOrEqual(nearest + 1e-4); // keys are float32, up to 60
      const reached = kept.reduce((sum, id) => sum + p[id]!, 0);
      expect(reached).toBeGreaterThan(mass - 1e-9);
      const last = Math.max(...kept.filter((id) => distance[id]! >= farthest - 1e-4).map((id) => p[id]!));
      expect(reached - last).toBeLessThan(mass + 1e-9);
    }));

  test("top-n-sigma keeps what is within n standard deviations of the best score", () =>
    forAll(fc.double({ min: 0.01, max: 5, noNaN: true }), (x, n) => {
      const alive = there(x).map((id) => x[id]!);
      const mean = alive.reduce((a, b) => a + b, 0) / alive.length;
      const sigma = Math.sqrt(alive.reduce((sum, score) => sum + (score - mean) ** 2, 0) / alive.length);
      const y = filtered(x, "top-n-sigma", { topNSigma: n });
      const best = top(x);
      const wrong = there(x).filter((id) => {
        const below = best - x[id]!;
        return Math.abs(below - n * sigma) > 1e-5 && y[id]! > Number.NEGATIVE_INFINITY !== below < n * sigma;
      });
      expect(wrong.slice(0, 5)).toEqual([]);
      expect(y[x.indexOf(top(x))]).toBe(top(x));
    }));

  test("epsilon keeps tokens of that probability, eta of one that falls with the entropy", () =>
    forAll(share, (x, value) => {
      expectFloor(x, filtered(x, "epsilon", { epsilon: value }), value);
      const floor = Math.min(value, Math.sqrt(value) * Math.exp(-entropy(softmax(x))));
      expectFloor(x, filtered(x, "eta", { eta: value }), floor);
    }));

  test("xtc leaves the least likely of the likely tokens, and all that is less likely, when its chance comes", () =>
    forAll(
      fc.record({ threshold: share, chance: share, uniform: fc.double({ min: 0, max: 0.999, noNaN: true }) }),
      (x, s) => {
        const y = filtered(x, "xtc", { xtc: s.chance, xtcThreshold: s.threshold }, { uniform: s.uniform });
        const p = softmax(x);
        const likely = there(x)
          .filter((id) => p[id]! >= s.threshold)
          .sort((a, b) => p[b]! - p[a]! || a - b);
        const gone = new Set(s.uniform < s.chance ? likely.slice(0, -1) : []);
        expect(
          sameIds(
            there(y),
            there(x).filter((id) => !gone.has(id)),
          ),
        ).toBe(true);
      },
    ));

  test("mirostat keeps what surprises by at most μ, which follows the surprises so far", () =>
    forAll(
      fc.record({
        target: fc.double({ min: 0.1, max: 12, noNaN: true }),
        surprises: fc.array(fc.double({ min: 0, max: 20, noNaN: true }), { maxLength: 6 }),
      }),
      (x, { target, surprises }) => {
        let mu = 2 * target;
        for (const surprise of surprises) mu -= 0.1 * (surprise - target);
        expectFloor(x, filtered(x, "mirostat", { mirostat: target }, { surprises }), 2 ** -mu);
      },
    ));

  test("dynamic temperature lies where the entropy's share lies between τ − range and τ + range", () =>
    forAll(
      fc.record({
        tau: fc.double({ min: 0.5, max: 3, noNaN: true }),
        range: fc.double({ min: 0.01, max: 2, noNaN: true }),
        exponent: fc.constantFrom(0.5, 1, 2),
      }),
      (x, s) => {
        const p = softmax(x);
        const count = there(x).length;
        const part = count > 1 ? Math.min(1, entropy(p) / Math.log(count)) : 0;
        const low = Math.max(0, s.tau - s.range);
        const expected = finalProbabilities(
          x,
          parseSamplingSettings({ temperature: low + (s.tau + s.range - low) * part ** s.exponent }),
        );
        const got = finalProbabilities(
          x,
          parseSamplingSettings({ temperature: s.tau, dynamicTemperature: s.range, dynamicExponent: s.exponent }),
        );
        const worst = got.reduce((most, value, id) => Math.max(most, Math.abs(value - expected[id]!)), 0);
        expect(worst).toBeLessThan(1e-3); // two sums of the entropy, powers of float32 scores
      },
    ));
});

/** Texts over few tokens, so that much repeats. */
const texts = fc.array(fc.nat({ max: 4 }), { maxLength: 40 });
const context = fc.record({ ids: texts, window: fc.nat({ max: 12 }) });

/** Scores that each differ from those before by what `change` says, but where that would leave nothing. */
function expectChange(x: Float32Array, y: Float32Array, change: (id: number) => number): void {
  const expected = Float32Array.from(x, (score, id) => score + change(id));
  const wanted = top(expected) > Number.NEGATIVE_INFINITY ? expected : x;
  const wrong = [...x.keys()].filter((id) => !(y[id] === wanted[id] || Math.abs(y[id]! - wanted[id]!) < 1e-3));
  expect(wrong.slice(0, 5)).toEqual([]);
}

describe("filters that look at the text", () => {
  test("repetition, presence and frequency take from what came, in the window", () =>
    forAll(context, (x, { ids, window }) => {
      const seen = window ? ids.slice(-window) : ids;
      const count = (id: number): number => seen.filter((other) => other === id).length;
      const p = softmax(x);
      const given = { penaltyWindow: window };
      expectChange(x, filtered(x, "presence", { ...given, presence: 1.5 }, { ids }), (id) => (count(id) ? -1.5 : 0));
      expectChange(x, filtered(x, "frequency", { ...given, frequency: 0.25 }, { ids }), (id) => -0.25 * count(id));
      const raised = (id: number): number => (count(id) && p[id]! > 0 ? 0.3 * Math.log(p[id]!) : 0);
      expectChange(x, filtered(x, "repetition", { ...given, repetition: 1.3 }, { ids }), raised);
    }));

  test("no-repeat-ngram removes what would complete a sequence of n for the second time", () =>
    forAll(fc.record({ ids: texts, n: fc.integer({ min: 1, max: 4 }) }), (x, { ids, n }) => {
      const grams = new Set(
        ids
          .map((_, at) => ids.slice(at, at + n))
          .filter((gram) => gram.length === n)
          .map(String),
      );
      const end = ids.slice(Math.max(0, ids.length - n + 1));
      const banned = (id: number): boolean => grams.has(String([...end, id]));
      expectChange(x, filtered(x, "no-repeat-ngram", { noRepeatNgram: n }, { ids }), (id) =>
        id < 5 && banned(id) ? Number.NEGATIVE_INFINITY : 0,
      );
    }));

  test("dry takes what grows with the longest repetition that a token would prolong", () =>
    forAll(texts, (x, ids) => {
      const length = (id: number): number => {
        for (let size = ids.length; size >= 1; size--) {
          const end = String(ids.slice(-size));
          if (ids.some((next, at) => next === id && at >= size && String(ids.slice(at - size, at)) === end))
            return size;
        }
        return 0;
      };
      const loss = (id: number): number => (id < 5 && length(id) >= 2 ? -0.5 * 1.75 ** (length(id) - 2) : 0);
      // Powers of 1.75 up to 38 are beyond what float32 adds exactly: what is that far down is as good as gone.
      const y = filtered(x, "dry", { dry: 0.5 }, { ids });
      const wrong = [...x.keys()].filter(
        (id) => Math.abs(y[id]! - (x[id]! + loss(id))) > 1e-3 + 1e-6 * Math.abs(loss(id)),
      );
      expect(wrong.slice(0, 5)).toEqual([]);
    }));

  test("logit bias adds to the tokens named, and to no other", () =>
    forAll(
      fc.dictionary(fc.nat({ max: 8 }).map(String), fc.integer({ min: -100, max: 100 }), { noNullPrototype: true }),
      (x, logitBias) => expectChange(x, filtered(x, "logit-bias", { logitBias }), (id) => logitBias[id] ?? 0),
    ));
});

test("at its off value every filter gives back what it was given", () => {
  const settings = parseSamplingSettings({});
  forAll(texts, (x, ids) => {
    const unchanged = through(x, settings, { ids, surprises: [3], uniform: 0 }) === x;
    expect(unchanged).toBe(true);
  });
});

/** Every filter at work. */
const allOn = {
  repetition: 1.2,
  presence: 1,
  frequency: 1,
  noRepeatNgram: 2,
  dry: 1,
  topK: 5,
  topP: 0.9,
  minP: 0.1,
  typical: 0.9,
  topNSigma: 1,
  epsilon: 0.1,
  eta: 0.1,
  xtc: 1,
  mirostat: 2,
  temperature: 0.7,
};

test("filters never touch their input, and leave a token at least", () => {
  const settings = parseSamplingSettings(allOn);
  forAll(texts, (x, ids) => {
    const copy = x.slice();
    const y = through(x, settings, { ids, uniform: 0 });
    expect(x.every((score, id) => score === copy[id])).toBe(true);
    expect(there(y).length).toBeGreaterThan(0);
    expect(softmax(y).reduce((a, b) => a + b, 0)).toBeCloseTo(1, 10);
  });
});

test("in any order, what is handed on in short arrays is what each filter makes of the whole vocabulary", () => {
  const given = fc.record({
    settings: fc.record(
      {
        topK: fc.constantFrom(0, 3, 40),
        topP: fc.constantFrom(1, 0.9, 0.3),
        minP: fc.constantFrom(0, 0.05),
        xtc: fc.constantFrom(0, 1),
        presence: fc.constantFrom(0, 2),
        logitBias: fc.constantFrom({}, { 0: 3, 5: -2 }),
        temperature: fc.constantFrom(0, 0.5, 1, 3),
        dynamicTemperature: fc.constantFrom(0, 0.4),
      },
      { requiredKeys: [] },
    ),
    order: fc.shuffledSubarray([...filterNames]),
    ids: texts,
  });
  forAll(given, (x, { settings, order, ids }) => {
    const chosen = parseSamplingSettings({ ...settings, order });
    const context = { ids, uniform: 0 };
    const expected = chainOf(chosen).reduce(
      (scores, { filter }) => expand(filter(createField(scores), context), x.length),
      x,
    );
    expect(sameScores(through(x, chosen, context), expected)).toBe(true);
  });
});

test("--filters sets values and the order, and nothing else is applied", () => {
  const settings = parseSamplingSettings(parseFilters("temperature=100, top-p=0.6"));
  expect(settings).toMatchObject({ temperature: 100, topP: 0.6, order: ["temperature", "top-p"] });
  const x = Float32Array.from([0.7, 0.1, 0.1, 0.1], Math.log);
  // At temperature 100 all four are about equal: now top-p comes second, and keeps three.
  expect(finalProbabilities(x, settings).filter((p) => p > 0)).toHaveLength(3);
  expect(parseFilters("dry=0.8,dry-base=2,logit-bias,seed-less=1".replace(",seed-less=1", ""))).toEqual({
    dry: 0.8,
    dryBase: 2,
    order: ["dry", "logit-bias"],
  });
  expect(filterNames.every((name) => name === "logit-bias" || parseFilters(`${name}=1`).order[0] === name)).toBe(true);
});

test.each(["top-k", "top-k=", "top-k=x", "top-k=1=2"])(
  "--filters %o is refused, and says what a filter looks like",
  (text) => {
    expect(() => parseFilters(text)).toThrow(`--filters: expected top-k=number, got ${JSON.stringify(text)}`);
  },
);

test.each([
  ["", "", ""],
  ["top-q=1", "top-q", "Did you mean top-k? "],
  ["foo=1", "foo", ""],
  ["seed=3", "seed", ""],
  ["min-p=0.1,,top-k=2", "", ""],
])("--filters %o is refused: there is no filter %o; what there is is listed", (text, name, nearest) => {
  const refused = expect.objectContaining({
    message: `--filters: there is no filter ${JSON.stringify(name)}`,
    hint: expect.stringMatching(
      new RegExp(`^${nearest.replace("?", "\\?")}Names: temperature, top-k, .*mirostat-rate.* For example`),
    ),
  });
  expect(() => parseFilters(text)).toThrow(refused);
});

test("--filters logit-bias=1 is refused: its values come from a flag of its own", () => {
  expect(() => parseFilters("logit-bias=1")).toThrow("--filters: logit-bias stands for its place alone");
});

test("a filter named twice is refused", () => {
  expect(() => parseSamplingSettings(parseFilters("top-k=1,top-k=2"))).toThrow("order: must name each filter once");
});
