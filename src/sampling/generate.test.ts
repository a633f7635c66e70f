import { expect, test } from "vitest";
import { collect } from "../../test/support/collect.ts";
import { type GeneratedToken, type GenerateOptions, generate, type NextTokenSource } from "./generate.ts";
import { parseSamplingSettings } from "./settings.ts";

/** Knows five tokens; after `n` it wants `n + 1` most. Keeps what it was asked. */
function createCounter(): NextTokenSource & { readonly asked: number[][] } {
  const asked: number[][] = [];
  return {
    asked,
    next: async (ids) => {
      asked.push([...ids]);
      const wanted = (ids.at(-1)! + 1) % 5;
      return {
        logProbs: Float32Array.from({ length: 5 }, (_, id) => Math.log(id === wanted ? 0.6 : 0.1)),
        windowed: false,
      };
    },
  };
}

async function textOf(source: NextTokenSource, options: Partial<GenerateOptions> = {}): Promise<GeneratedToken[]> {
  const defaults = { prompt: [0], settings: parseSamplingSettings({}), maxTokens: 6 };
  return collect(generate(source, { ...defaults, ...options }));
}

const idsOf = (tokens: readonly GeneratedToken[]): number[] => tokens.map(({ id }) => id);

test("each token is drawn after all that came before it", async () => {
  const source = createCounter();
  const tokens = await textOf(source, { prompt: [3, 1] });
  expect(source.asked).toEqual(tokens.map((_, i) => [3, 1, ...idsOf(tokens).slice(0, i)]));
  expect(tokens.map(({ position }) => position)).toEqual([0, 1, 2, 3, 4, 5]);
});

test("temperature 0 takes the likeliest, always", async () => {
  const settings = parseSamplingSettings({ temperature: 0 });
  const tokens = await textOf(createCounter(), { settings });
  expect(idsOf(tokens)).toEqual([1, 2, 3, 4, 0, 1]);
  expect(tokens.map(({ probability }) => probability)).toEqual([1, 1, 1, 1, 1, 1]);
  for (const { logProb } of tokens) expect(logProb).toBeCloseTo(Math.log(0.6), 6); // the model's own, in float32
});

test("the seed fixes the text; another seed gives another; 0 is a seed", async () => {
  const text = async (seed: number): Promise<string> =>
    idsOf(await textOf(createCounter(), { settings: parseSamplingSettings({ seed }), maxTokens: 40 })).join("");
  expect(await text(0)).toBe(await text(0));
  expect(new Set([await text(0), await text(1), await text(2)]).size).toBe(3);
});

test("a token's probability is the one it was drawn with, its log-probability the model's", async () => {
  const settings = parseSamplingSettings({ temperature: 0.5, topK: 1 });
  const [token] = await textOf(createCounter(), { settings, maxTokens: 1 });
  expect(token).toMatchObject({ id: 1, probability: 1, logProb: Math.fround(Math.log(0.6)) });
});

test("it ends at the signal, and leaves the prompt alone", async () => {
  const stop = new AbortController();
  const prompt = [0];
  const seen = [];
  for await (const token of generate(createCounter(), {
    prompt,
    settings: parseSamplingSettings({}),
    maxTokens: 100,
    signal: stop.signal,
  })) {
    seen.push(token);
    if (seen.length === 3) stop.abort();
  }
  expect(seen).toHaveLength(3);
  expect(prompt).toEqual([0]);
  expect(await textOf(createCounter(), { maxTokens: 0 })).toEqual([]);
});

test("timers run between tokens", async () => {
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  const start = Date.now();
  for await (const _ of generate(createCounter(), {
    prompt: [0],
    settings: parseSamplingSettings({}),
    maxTokens: 1e9,
  }))
    if (ticks >= 3 || Date.now() - start > 5000) break;
  clearInterval(timer);
  expect(ticks).toBeGreaterThanOrEqual(3);
});
