import { expect, test } from "vitest";
import { parseHead } from "../lm/heads/shortForm.ts";
import { parseRunConfig } from "./config.ts";
import { headVariants, speedOf, stretched, trialsOf } from "./variants.ts";

const base = parseRunConfig("test", {
  corpus: "moby-dick",
  tokenizer: "char",
  model: { kind: "transformer", embedSize: 32, layers: 2 },
  training: { steps: 400, evaluateEvery: 100, checkpointEvery: 0, schedule: { warmupSteps: 40, decaySteps: 400 } },
});
const heads = ["softmax", "mos:4"].map(parseHead);

test("matched variants agree in parameters with the first, and say what was changed", () => {
  const [first, second] = headVariants(base, heads, 300, true);
  expect(first!.config.model).toEqual({ ...base.model, head: { kind: "softmax" } });
  expect(Math.abs(second!.parameters / first!.parameters - 1)).toBeLessThan(0.01);
  expect(second!.how).toMatch(/^feed-forward width \d+$/);
});

test("unmatched variants differ in the head alone", () => {
  const [, second] = headVariants(base, heads, 300, false);
  expect(second!.config).toEqual({ ...base, model: { ...base.model, head: { kind: "mos", mixtures: 4 } } });
});

test("a head that does not define an option of the loss is refused before anything is trained", () => {
  const smooth = { ...base, training: { ...base.training, labelSmoothing: 0.1 } };
  expect(() => headVariants(smooth, heads, 300, false)).toThrow(/labelSmoothing: is not defined for the head mos:4/);
});

test("a slower variant goes through its whole schedule in fewer steps", () => {
  const [variant] = headVariants(base, heads, 300, false);
  const { training } = stretched(variant!, 0.25).config;
  expect(training).toMatchObject({
    ...{ steps: 100, evaluateEvery: 25, checkpointEvery: 0 },
    schedule: { warmupSteps: 10, decaySteps: 100 },
  });
});

test("trials are every variant with every seed, a folder each", () => {
  const trials = trialsOf("study", headVariants(base, heads, 300, false), [1, 2]);
  expect(trials.map(({ folder, config }) => [folder, config.seed])).toEqual([
    ["study/softmax-seed-1", 1],
    ["study/mos-4-seed-1", 1],
    ["study/softmax-seed-2", 2],
    ["study/mos-4-seed-2", 2],
  ]);
});

test("speed is that of the fastest warm step", () => {
  expect(speedOf([1, 1, 1, 1, 1, 9, 7, 8])).toBe(7);
});
