import fc from "fast-check";
import { expect, test } from "vitest";
import { evaluationBatches, randomBatch } from "./batches.ts";

const count = (n: number): Int32Array => Int32Array.from({ length: n }, (_, i) => i);

test("a random batch is a pure function of its arguments", () => {
  const ids = count(1000);
  const make = (seed: number, step: number) => randomBatch(ids, { seed, step, batchSize: 4, contextLength: 8 });
  expect(make(1, 2)).toEqual(make(1, 2));
  expect(make(1, 2)).not.toEqual(make(1, 3));
  expect(make(1, 2)).not.toEqual(make(2, 2));
});

test("targets are the inputs shifted by one, in every row", () => {
  const { inputs, targets } = randomBatch(count(500), { seed: 3, step: 0, batchSize: 16, contextLength: 10 });
  expect(inputs).toHaveLength(160);
  expect(Array.from(targets)).toEqual(Array.from(inputs, (id) => id + 1));
  for (let row = 0; row < 16; row++) expect(inputs[row * 10 + 9]).toBe(inputs[row * 10]! + 9);
});

test("offsets are uniform over all windows, the first and the last included", () => {
  const ids = count(20 + 4);
  const seen = new Array<number>(20).fill(0);
  const batches = 1000;
  for (let step = 0; step < batches; step++) {
    const { inputs } = randomBatch(ids, { seed: 0, step, batchSize: 10, contextLength: 4 });
    for (let row = 0; row < 10; row++) seen[inputs[row * 4]!]!++;
  }
  const expected = (batches * 10) / 20;
  const chiSquare = seen.reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0);
  expect(chiSquare).toBeLessThan(43.8); // 19 degrees of freedom, p = 0.001
});

test("a text without a whole window gives no random batch", () => {
  const make = (tokens: number) => randomBatch(count(tokens), { seed: 0, step: 0, batchSize: 1, contextLength: 8 });
  expect(make(9).targets[7]).toBe(8);
  expect(() => make(8)).toThrowErrorMatchingInlineSnapshot(
    `[SandboxError: text: must hold at least 9 tokens (a context of 8 and one to predict), got 8]`,
  );
});

test("evaluation predicts each id but the first exactly once, in order", () => {
  fc.assert(
    fc.property(fc.nat(300), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 17 }), (n, batchSize, T) => {
      const batches = [...evaluationBatches(count(n), { batchSize, contextLength: T })];
      const targets = batches.flatMap((batch) => Array.from(batch.targets));
      expect(targets).toEqual(Array.from(count(n)).slice(1));
      for (const { inputs, targets, ...shape } of batches) {
        expect(inputs).toHaveLength(shape.batchSize * shape.contextLength);
        expect(Array.from(inputs, (id) => id + 1)).toEqual(Array.from(targets));
      }
      for (const batch of batches.slice(0, -2)) expect(batch).toMatchObject({ batchSize, contextLength: T });
      for (const batch of batches.slice(0, -1)) expect(batch.contextLength).toBe(T);
    }),
  );
});

test("with a limit, evaluation takes whole windows spread evenly over the text", () => {
  const batches = [...evaluationBatches(count(1001), { batchSize: 2, contextLength: 10, maxTokens: 55 })];
  const starts = batches.flatMap(({ inputs, batchSize }) =>
    Array.from({ length: batchSize }, (_, row) => inputs[row * 10]),
  );
  expect(starts).toEqual([0, 200, 400, 600, 800]);
  const limits = fc.integer({ min: 1, max: 400 });
  fc.assert(
    fc.property(fc.nat(300), limits, fc.integer({ min: 1, max: 17 }), (n, maxTokens, T) => {
      const limited = [...evaluationBatches(count(n), { batchSize: 3, contextLength: T, maxTokens })];
      const targets = limited.flatMap((batch) => Array.from(batch.targets));
      expect(new Set(targets).size).toBe(targets.length);
      expect(targets.length).toBeLessThanOrEqual(Math.max(T, maxTokens));
      if (n > 1) expect(targets.length).toBeGreaterThan(0);
      if (maxTokens >= n - 1) expect(targets).toHaveLength(Math.max(0, n - 1));
    }),
  );
});
