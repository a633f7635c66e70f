// The softmax bottleneck, shown: on a source of high rank a narrow softmax stops where a mixture goes on.
import { beforeAll, expect, test } from "vitest";
import { spectrumOf } from "../../src/analysis/spectrum.ts";
import {
  bottleneckExperiment,
  divergence,
  type ExperimentResult,
  setting,
} from "../../src/experiments/bottleneckExperiment.ts";
import { createModes } from "../../src/text/sources/modes.ts";
import { activate } from "../support/engines.ts";

beforeAll(() => activate("native"));

test("the source's log-probabilities have rank R + 1", () => {
  const { logProbs } = createModes({ symbols: 40, modes: 10, sharpness: 2, seed: 2 });
  expect(spectrumOf(logProbs).rank).toBe(11);
});

test("divergence: of the truth from itself 0, of a fair coin from a biased one as computed by hand", () => {
  const logs = (p: number[]): number[] => p.map(Math.log);
  expect(divergence(logs([0.3, 0.7]), logs([0.3, 0.7]))).toBe(0);
  expect(divergence(logs([0.5, 0.5]), logs([0.25, 0.75]))).toBeCloseTo(0.5 * Math.log(2) + 0.5 * Math.log(2 / 3), 12);
});

test("a softmax has rank d + 1 at most; a mixture passes it and comes closer to the truth", async () => {
  const models = ["softmax", "mos:8"].map((head) => ({ head, layers: 1 }));
  const results: ExperimentResult[] = [];
  for await (const result of bottleneckExperiment({ steps: 1200, seeds: [1], models })) results.push(result);
  const [softmax, mixture] = results as [ExperimentResult, ExperimentResult];
  expect(softmax.rank).toBeLessThanOrEqual(setting.embedSize + 1);
  expect(mixture.rank).toBeGreaterThan(2 * (setting.embedSize + 1));
  expect(mixture.divergence).toBeLessThan(softmax.divergence - 0.02); // 0.04 where it was measured
});
