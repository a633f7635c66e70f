import * as tf from "@tensorflow/tfjs";
import { beforeAll, expect, test } from "vitest";
import { shake, someIds, tinyConfig } from "../../test/support/models.ts";
import { type AttentionForm, attend, attentionWeights } from "../attention/attend.ts";
import { useEngine } from "../engine/engine.ts";
import type { BTQKV } from "../engine/shapes.ts";
import { createModel } from "../lm/model.ts";
import { headComponents } from "./components.ts";
import { attentionMap, logitLens } from "./layers.ts";

beforeAll(async () => {
  await useEngine("cpu");
});

function tinyModel(head = "softmax") {
  const model = createModel(tinyConfig("transformer", head), 3);
  shake(model, 0.3);
  return model;
}

test.each(["softmax", "sigmoid", "entmax15"] as const)(
  "%s weights times values is what attention gives",
  (normaliser) => {
    const [T, heads, D] = [6, 2, 4];
    const form: AttentionForm = { heads, keyValueHeads: heads, normaliser, alibi: false, window: 0 };
    tf.tidy(() => {
      const qkv = tf.randomNormal([1, T, 3 * heads * D], 0, 1, "float32", 5) as BTQKV;
      const expected = attend(qkv, form); // [1, T, E]
      const parts = Array.from({ length: heads }, (_, head) => {
        const values = tf.reshape(tf.slice(qkv, [0, 0, 2 * heads * D + head * D], [1, T, D]), [T, D]);
        return tf.matMul(attentionWeights(qkv, form, head), values as tf.Tensor2D); // [T, D]
      });
      const joined = tf.concat(parts, 1).dataSync();
      for (const [i, value] of expected.dataSync().entries()) expect(joined[i]).toBeCloseTo(value, 5);
    });
  },
);

test("each row of a map sums to 1 and does not see the future", async () => {
  const model = tinyModel();
  const { weights, layers, heads } = await attentionMap(model, someIds(7, 11), 1, 1);
  expect({ layers, heads, length: weights.length }).toEqual({ layers: 2, heads: 2, length: 7 });
  for (const [t, row] of weights.entries()) {
    expect(row.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 5);
    expect(row.slice(t + 1).every((weight) => weight === 0)).toBe(true);
  }
  model.dispose();
});

test.each(["softmax", "mos:4"])(
  "the last row of the lens over a %s head is the model's own distribution",
  async (head) => {
    const model = tinyModel(head);
    const ids = someIds(8, 11);
    const lens = await logitLens(model, ids);
    expect(lens.length).toBe(3);
    const { logProbs } = await model.next(ids);
    for (const [id, logProb] of logProbs.entries()) expect(lens.at(-1)![id]).toBeCloseTo(logProb, 5);
    for (const row of lens) expect(row.reduce((sum, logProb) => sum + Math.exp(logProb), 0)).toBeCloseTo(1, 5);
    model.dispose();
  },
);

test("of a text longer than the context its end is seen, and nothing leaks", async () => {
  const model = tinyModel();
  const before = tf.memory().numTensors;
  const { weights } = await attentionMap(model, someIds(20, 11), 99, 99);
  await logitLens(model, someIds(20, 11));
  expect(weights.length).toBe(8);
  expect(tf.memory().numTensors).toBe(before);
  model.dispose();
});

test("the components of a mixture, weighed, are its distribution; a softmax has none", async () => {
  const model = tinyModel("mos:4");
  const ids = someIds(12, 11);
  const each = await headComponents(model, ids);
  const { logProbs, mixture } = await model.next(ids);
  for (const [id, logProb] of logProbs.entries()) {
    const mixed = each.reduce((sum, row, k) => sum + mixture![k]! * Math.exp(row[id]!), 0);
    expect(Math.log(mixed)).toBeCloseTo(logProb, 5);
  }
  model.dispose();
  const plain = tinyModel();
  expect(await headComponents(plain, ids)).toEqual([]);
  plain.dispose();
});
