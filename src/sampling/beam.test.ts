import fc from "fast-check";
import { expect, test } from "vitest";
import { type Beam, searchBeams } from "./beam.ts";
import type { NextTokensSource } from "./generate.ts";

const vocabulary = 3;

/** Log-probabilities after a text: a pure function of the seed and the text. */
function logProbsAfter(seed: number, ids: readonly number[]): Float32Array {
  let state = seed >>> 0;
  const mix = (value: number): number => {
    state = Math.imul(state ^ (value + 0x9e37), 0x85ebca6b) >>> 0;
    state = (state ^ (state >>> 13)) >>> 0;
    return state / 2 ** 32;
  };
  for (const id of ids) mix(id + 1);
  const weights = Array.from({ length: vocabulary }, (_, id) => 0.05 + mix(100 + id));
  const total = weights.reduce((a, b) => a + b, 0);
  return Float32Array.from(weights, (weight) => Math.log(weight / total));
}

const createSource = (seed: number): NextTokensSource => ({
  nextOfEach: async (texts) => texts.map((ids) => ({ logProbs: logProbsAfter(seed, ids), windowed: false })),
});

/** Every text of so many tokens, or that ends before with the stop token, likeliest first. */
function allTexts(seed: number, prompt: readonly number[], length: number, stop?: number): Beam[] {
  const grow = (beam: Beam): Beam[] => {
    if (beam.ended || beam.ids.length === length) return [beam];
    const logProbs = logProbsAfter(seed, [...prompt, ...beam.ids]);
    return [...logProbs.keys()].flatMap((id) =>
      grow({ ids: [...beam.ids, id], logProb: beam.logProb + logProbs[id]!, ended: id === stop }),
    );
  };
  return grow({ ids: [], logProb: 0, ended: false }).sort((a, b) => b.logProb - a.logProb);
}

const seeds = fc.integer({ min: 1, max: 2 ** 31 });

test("with as many beams as there are texts it finds them all, likeliest first", async () => {
  await fc.assert(
    fc.asyncProperty(
      seeds,
      fc.integer({ min: 1, max: 4 }),
      fc.constantFrom(undefined, 2),
      async (seed, length, stop) => {
        const stopTokens = stop === undefined ? [] : [stop];
        const options = { prompt: [1, 0], beams: vocabulary ** length, maxTokens: length, stopTokens };
        expect(await searchBeams(createSource(seed), options)).toEqual(allTexts(seed, [1, 0], length, stop));
      },
    ),
    { numRuns: 60 },
  );
});

test("with one beam it is greedy", async () => {
  await fc.assert(
    fc.asyncProperty(seeds, async (seed) => {
      const [beam] = await searchBeams(createSource(seed), { prompt: [0], beams: 1, maxTokens: 5 });
      const ids = [0];
      for (let i = 0; i < 5; i++) {
        const logProbs = logProbsAfter(seed, ids);
        ids.push(logProbs.indexOf(logProbs.reduce((a, b) => Math.max(a, b))));
      }
      expect(beam!.ids).toEqual(ids.slice(1));
    }),
    { numRuns: 60 },
  );
});

test("every beam is a text of the list with its probability, and none comes twice", async () => {
  await fc.assert(
    fc.asyncProperty(seeds, fc.integer({ min: 1, max: 6 }), async (seed, beams) => {
      const found = await searchBeams(createSource(seed), { prompt: [2], beams, maxTokens: 4, stopTokens: [0] });
      const all = new Map(allTexts(seed, [2], 4, 0).map((beam) => [String(beam.ids), beam]));
      expect(found).toHaveLength(beams);
      for (const beam of found) expect(beam).toEqual(all.get(String(beam.ids)));
      expect(new Set(found.map(({ ids }) => String(ids))).size).toBe(beams);
      expect(found.map(({ logProb }) => logProb)).toEqual(
        found.map(({ logProb }) => logProb).toSorted((a, b) => b - a),
      );
    }),
    { numRuns: 60 },
  );
});

test("the signal ends the search with what there is", async () => {
  const controller = new AbortController();
  let rounds = 0;
  const source: NextTokensSource = {
    nextOfEach: async (texts) => {
      if (++rounds === 3) controller.abort();
      return texts.map((ids) => ({ logProbs: logProbsAfter(7, ids), windowed: false }));
    },
  };
  const found = await searchBeams(source, { prompt: [0], beams: 2, maxTokens: 100, signal: controller.signal });
  expect(found.map(({ ids }) => ids.length)).toEqual([3, 3]);
});
