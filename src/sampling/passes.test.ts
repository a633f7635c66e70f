/** @file The passes of the engines against their definitions, and the definitions against plain words. */
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { useEngine } from "../engine/engine.ts";
import { loadAddon } from "../engine/native/addon.ts";
import { binCount, binOf, blockLength, offerScorePasses, runLength, type ScorePasses } from "../engine/scorePasses.ts";
import { loadWasm } from "../engine/wasm/addon.ts";
import { describeOutlook, lookAhead } from "./distribution.ts";
import { passes as activePasses, plainPasses } from "./passes.ts";
import { drawFrom } from "./sample.ts";
import { parseSamplingSettings } from "./settings.ts";

const native = loadAddon();
const before = native.instructionSet();
afterAll(() => native.setInstructionSet(before));

const engines: readonly (readonly [string, ScorePasses, () => void])[] = [
  ["JavaScript", plainPasses, () => {}],
  ["WebAssembly", loadWasm().addon, () => {}],
  ...native.instructionSets().map((name) => [name, native, () => native.setInstructionSet(name)] as const),
];

/** Scores of one block, several or many; spread or full of ties; some removed, one at least left. */
const scores = fc
  .record({
    size: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constantFrom(128, 129, 1000, 5003)),
    seed: fc.nat(),
    range: fc.constantFrom(0, 1, 8, 60),
    rounded: fc.boolean(),
    gone: fc.constantFrom(0, 0.5, 0.95),
  })
  .map(({ size, seed, range, rounded, gone }) => {
    let state = seed >>> 0;
    const uniform = (): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 2 ** 32;
    };
    const kept = Math.floor(uniform() * size);
    return Float32Array.from({ length: size }, (_, id) => {
      const score = -range * uniform();
      if (id !== kept && uniform() < gone) return Number.NEGATIVE_INFINITY;
      return rounded ? Math.round(score) : score;
    });
  });

const highest = (x: Float32Array): number => x.reduce((a, b) => Math.max(a, b));
const maximaOf = (x: Float32Array): Float32Array =>
  Float32Array.from({ length: Math.ceil(x.length / blockLength) }, (_, block) =>
    highest(x.subarray(block * blockLength, (block + 1) * blockLength)),
  );

/** In the order of the scores, by Math.exp. */
function sumsOf(x: Float32Array, top: number, inverse: number) {
  const [runs, bins] = [new Float64Array(Math.ceil(x.length / runLength)), new Float64Array(binCount)];
  const result = new Float64Array(2);
  for (const [i, score] of x.entries()) {
    if (i % runLength === 0) runs[i / runLength] = result[0]!;
    const distance = (top - score) * inverse;
    if (distance >= 40) continue;
    result[0]! += Math.exp(-distance);
    result[1]! += Math.exp(-distance) * distance;
    bins[binOf(distance)]! += Math.exp(-distance);
  }
  return { runs, bins, result };
}

/** To 13 digits: what the exponential functions differ by, and the order of 5,003 numbers. */
function expectClose(got: Float64Array, expected: Float64Array): void {
  expect(got.length).toBe(expected.length);
  const isClose = (sum: number, i: number) => Math.abs(sum - expected[i]!) <= 1e-13 * expected[i]! + 1e-16;
  expect(got.every(isClose)).toBe(true);
}

describe.each(engines)("%s", (_, passes, choose) => {
  test("maxima are those of the blocks", () => {
    choose();
    fc.assert(
      fc.property(scores, (x) => {
        const maxima = new Float32Array(Math.ceil(x.length / blockLength)).fill(Number.NaN);
        passes.blockMaxima(x, maxima, x.length);
        expect(maxima).toEqual(maximaOf(x));
      }),
    );
  });

  test("sums are those of Math.exp, by run and by bin, with bins or without", () => {
    choose();
    fc.assert(
      fc.property(scores, fc.constantFrom(1, 0.1, 1.25, 40), fc.boolean(), (x, inverse, binned) => {
        const runs = new Float64Array(Math.ceil(x.length / runLength)).fill(Number.NaN);
        const bins = binned ? new Float64Array(binCount).fill(Number.NaN) : null;
        const result = Float64Array.of(Number.NaN, Number.NaN);
        passes.scoreSums(x, runs, bins, result, x.length, highest(x), inverse);
        const expected = sumsOf(x, highest(x), inverse);
        expectClose(result, expected.result);
        expectClose(runs, expected.runs);
        if (bins) expectClose(bins, expected.bins);
      }),
    );
  });

  test("one score that is no number makes the sums so, and leaves no bin's bounds", () => {
    choose();
    fc.assert(
      fc.property(scores, fc.nat(), fc.boolean(), (x, at, binned) => {
        x[at % x.length] = Number.NaN;
        const runs = new Float64Array(Math.ceil(x.length / runLength));
        const bins = binned ? new Float64Array(binCount) : null;
        const result = new Float64Array(2);
        const top = Math.min(...x.filter((score) => !Number.isNaN(score)), 0); // as if it had hidden the highest
        passes.scoreSums(x, runs, bins, result, x.length, top, 1);
        expect(result).toEqual(Float64Array.of(Number.NaN, Number.NaN));
      }),
    );
  });

  test("places are exactly those that are asked for, rising, with their scores", () => {
    choose();
    const among = fc.double({ min: 0, max: 1, noNaN: true });
    const rings = fc.tuple(fc.nat({ max: 400 }), fc.nat({ max: 100 }), fc.nat({ max: 5 }));
    fc.assert(
      fc.property(scores, among, among, rings, (x, at, to, [middle, first, more]) => {
        const there = x.filter((score) => score > Number.NEGATIVE_INFINITY);
        const [one, other] = [there[Math.floor(at * (there.length - 1))]!, there[Math.floor(to * (there.length - 1))]!];
        const [maxima, top, n] = [maximaOf(x), highest(x), x.length];
        const gather = (call: (places: Int32Array, kept: Float32Array) => number) => {
          const [places, kept] = [new Int32Array(n + 1), new Float32Array(n + 1)];
          const count = call(places, kept);
          return { places: places.slice(0, count), kept: kept.slice(0, count) };
        };
        const wanted = (is: (score: number) => boolean) => {
          const places = Int32Array.from([...x.keys()].filter((i) => is(x[i]!)));
          return { places, kept: Float32Array.from(places, (place) => x[place]!) };
        };
        expect(gather((places, kept) => passes.scoresFrom(x, maxima, places, kept, n, one))).toEqual(
          wanted((score) => score >= one),
        );
        const centre = one + 1e-3;
        const radius = Math.fround(Math.abs(centre - other));
        expect(gather((places, kept) => passes.scoresWithin(x, maxima, places, kept, n, centre, radius))).toEqual(
          wanted((score) => Math.fround(Math.abs(centre - score)) <= radius),
        );
        const last = first + more;
        expect(
          gather((places, kept) => passes.scoresInRings(x, maxima, places, kept, n, top, middle, first, last)),
        ).toEqual(
          wanted((score) => {
            const ring = Math.abs(Math.floor(46 * (top - score)) - middle);
            return ring >= first && ring <= last;
          }),
        );
      }),
    );
  });
});

test("the engine decides whose passes are taken", async () => {
  await useEngine("native");
  expect(activePasses()).toBe(native);
  await useEngine("cpu");
  expect(activePasses()).toBe(plainPasses);
});

test("with the native engine's passes the same tokens are left, drawn and described as with JavaScript's", () => {
  const settings = fc
    .constantFrom(
      { topK: 40, temperature: 0.8 },
      { topK: 1000 },
      { topP: 0.95 },
      { topP: 0.5, temperature: 2 },
      { minP: 0.05, temperature: 0.8 },
      { typical: 0.9 },
      { topNSigma: 1 },
      { eta: 0.01 },
      { xtc: 1, xtcThreshold: 0.01 },
      { mirostat: 3 },
      { temperature: 0 },
      { dynamicTemperature: 0.5, repetition: 1.3 },
    )
    .map(parseSamplingSettings);
  const outcome = (x: Float32Array, chosen: ReturnType<typeof parseSamplingSettings>, passes?: ScorePasses) => {
    offerScorePasses(passes);
    const outlook = lookAhead(x, chosen, { ids: [0, 1, 2], uniform: 0 });
    const { id, probability } = drawFrom(outlook.final, 5, 3);
    const { candidates, ...entropies } = describeOutlook(outlook, 20);
    offerScorePasses(undefined);
    return { ids: outlook.final.ids, id, shown: candidates.map((one) => one.id), probability, ...entropies };
  };
  fc.assert(
    fc.property(scores, settings, (x, chosen) => {
      const [plain, fast] = [outcome(x, chosen), outcome(x, chosen, native)];
      expect([fast.ids, fast.id, fast.shown]).toEqual([plain.ids, plain.id, plain.shown]);
      for (const key of ["probability", "entropy", "finalEntropy"] as const)
        expect(fast[key]).toBeCloseTo(plain[key], 11);
    }),
    { numRuns: 300 },
  );
});
