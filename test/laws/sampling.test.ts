// What a trained model's generation promises: tokens follow its own distribution, greedy is the argmax, seeds fix texts.
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createRandomStream, randomKey } from "../../src/engine/random.ts";
import { type LoadedRun, loadRun } from "../../src/experiments/loadRun.ts";
import type { NextToken } from "../../src/lm/model.ts";
import { finalProbabilities } from "../../src/sampling/distribution.ts";
import { type GeneratedToken, generate } from "../../src/sampling/generate.ts";
import { parseSamplingSettings, type SamplingSettings } from "../../src/sampling/settings.ts";
import { chiSquareTest } from "../support/chiSquare.ts";
import { collect } from "../support/collect.ts";
import { activate } from "../support/engines.ts";
import { temporaryFolder, writeSmallText } from "../support/folders.ts";
import { tinyRun, trainFresh } from "../support/runs.ts";

const here = temporaryFolder();
const corpus = writeSmallText(here);
const alpha = 0.001;

describe.each(["softmax", "mos:4"])("a trained model with the head %s", (head) => {
  let run: LoadedRun;
  beforeAll(async () => {
    await activate("native");
    const folder = join(here, head);
    const changes = { steps: 300, accumulate: 1, batchSize: 16, evaluateEvery: 0, checkpointEvery: 0 };
    const schedule = { warmupSteps: 10, decaySteps: 300 };
    const config = tinyRun(corpus, head, { ...changes, schedule, optimizer: { learningRate: 0.02 } });
    await trainFresh({ ...config, model: { ...config.model, embedSize: 32, dropout: 0 } }, folder);
    run = await loadRun(folder, "latest", () => {});
  });
  afterAll(() => run.dispose());

  const textOf = async (settings: SamplingSettings, maxTokens: number): Promise<GeneratedToken[]> =>
    collect(generate(run.model, { prompt: [...run.tokenizer.encode("the ")], settings, maxTokens }));

  test("has learned: its distribution is far from even", async () => {
    const { logProbs } = await run.model.next([...run.tokenizer.encode("the whal")]);
    expect(Math.exp(logProbs[run.tokenizer.encode("e")[0]!]!)).toBeGreaterThan(0.5);
  });

  test.each([0.5, 1, 2])("first tokens over 20,000 seeds pass chi-square at temperature %f", async (temperature) => {
    const prompt = [...run.tokenizer.encode("the ")];
    const next = await run.model.next(prompt);
    const probabilities = finalProbabilities(next.logProbs, parseSamplingSettings({ temperature }));
    const counts = new Float64Array(probabilities.length);
    const remembered = { next: async (): Promise<NextToken> => next }; // the same question 20,000 times
    for (let seed = 0; seed < 20_000; seed++) {
      const settings = parseSamplingSettings({ temperature, seed });
      for await (const { id } of generate(remembered, { prompt, settings, maxTokens: 1 })) counts[id]!++;
    }
    expect(chiSquareTest(counts, probabilities)).toBeGreaterThan(alpha);
    // The test has teeth: another temperature's distribution fails it.
    const other = finalProbabilities(next.logProbs, parseSamplingSettings({ temperature: temperature * 1.2 }));
    expect(chiSquareTest(counts, other)).toBeLessThan(alpha);
  });

  test.each([0.5, 1, 2])(
    "along a text of 2,000 tokens each follows its own distribution at %f",
    async (temperature) => {
      const settings = parseSamplingSettings({ temperature, seed: 0 });
      const random = createRandomStream(randomKey(5, "spread"));
      const counts = new Float64Array(20);
      for (const { id, next } of await textOf(settings, 2000)) {
        // Where p(v < id) + u · p(id) lies in [0, 1] is uniform, whatever the distributions (Rosenblatt 1952).
        const p = finalProbabilities(next.logProbs, settings);
        const below = p.subarray(0, id).reduce((sum, value) => sum + value, 0);
        counts[Math.min(19, Math.floor(20 * (below + random.uniform() * p[id]!)))]!++;
      }
      expect(chiSquareTest(counts, new Float64Array(20).fill(1 / 20))).toBeGreaterThan(alpha);
    },
  );

  test("temperature 0 is the argmax at every token, whatever the seed", async () => {
    const [a, b] = [
      await textOf(parseSamplingSettings({ temperature: 0, seed: 1 }), 200),
      await textOf(parseSamplingSettings({ temperature: 0, seed: 2 }), 200),
    ];
    expect(a.map(({ id }) => id)).toEqual(b.map(({ id }) => id));
    for (const { id, next, probability } of a) {
      expect(next.logProbs.indexOf(Math.max(...next.logProbs))).toBe(id);
      expect(probability).toBe(1);
    }
  });

  test("the same seed gives the same text, other seeds others, 0 among them", async () => {
    const ids = async (seed: number): Promise<string> =>
      (await textOf(parseSamplingSettings({ seed }), 50)).map(({ id }) => id).join();
    expect(await ids(0)).toBe(await ids(0));
    expect(new Set([await ids(0), await ids(1), await ids(2)]).size).toBe(3);
  });
});
