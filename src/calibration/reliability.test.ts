import { expect, test } from "vitest";
import { createRandomStream, randomKey } from "../engine/random.ts";
import { measure } from "./measure.ts";
import { inMemory } from "./predictions.ts";
import { measureReliability } from "./reliability.ts";

test("the diagram alone is that of the whole measurement", async () => {
  const [rows, classes] = [300, 7];
  const random = createRandomStream(randomKey(4, "test"));
  const scores = Float64Array.from({ length: rows * classes }, () => 6 * random.uniform());
  for (let row = 0; row < rows; row++) {
    const part = scores.subarray(row * classes, (row + 1) * classes);
    const total = Math.log(part.reduce((sum, score) => sum + Math.exp(score), 0));
    for (const [v, score] of part.entries()) part[v] = score - total;
  }
  const targets = Int32Array.from({ length: rows }, () => random.below(classes));
  const predictions = inMemory(classes, scores, targets);
  const [alone, whole] = [await measureReliability(predictions), await measure(predictions, undefined, { draws: 0 })];
  const bins = whole.bins.map((bin) => ({ ...bin, confidence: expect.closeTo(bin.confidence, 12) })); // its exponential is another
  expect(alone.bins).toEqual(bins);
  expect(alone.ece).toBeCloseTo(whole.metrics.ece.value, 12);
  expect(alone.accuracy).toBeCloseTo(whole.metrics.accuracy.value, 12);
  expect([alone.count, alone.ece > 0.1]).toEqual([300, true]);
});
