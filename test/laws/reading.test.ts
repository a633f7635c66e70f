// A reader that remembers gives what reading the whole text anew gives, for every family, head and engine.
import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, test } from "vitest";
import { headParts } from "../../src/lm/headParts.ts";
import { headOf } from "../../src/lm/heads/table.ts";
import { createModel, type LanguageModel } from "../../src/lm/model.ts";
import { createReader, windowStart } from "../../src/lm/reader.ts";
import { readText } from "../../src/lm/readText.ts";
import { trunkOf } from "../../src/lm/trunks/table.ts";
import { activate, isSlow, testedEngines } from "../support/engines.ts";
import { tensorsLeft } from "../support/leaks.ts";
import { everyModel, families, idsTensor, shake, someIds, someModels, tinyConfig } from "../support/models.ts";
import { read } from "../support/read.ts";

const V = 11;

/** A model as if trained, of a context that `tokens` overflow unless told otherwise. */
function makeModel(kind: string, head: string, contextLength = 32): LanguageModel {
  const model = createModel(tinyConfig(kind, head, { contextLength }), 3);
  shake(model, 0.3);
  return model;
}

/** `log p` after every token, each window read from its beginning by the trunk itself, once: `[T][V]`. */
async function readAnew({ config, params }: LanguageModel, ids: readonly number[]): Promise<Float32Array[]> {
  const trunk = trunkOf(config);
  const head = headOf(config.head);
  const reach = trunk.reach(config);
  const found: Float32Array[] = [];
  while (found.length < ids.length) {
    const start = windowStart(found.length + 1, reach);
    const end = Math.min(ids.length, start + reach);
    const values = await read(() => {
      const { hidden } = trunk.hidden(config, params.trunk, idsTensor([ids.slice(start, end)])); // causal: all ends at once
      return head.logProbs(headParts({ config, params }), hidden);
    });
    for (let t = found.length - start; t < end - start; t++) found.push(values.slice(t * V, (t + 1) * V));
  }
  return found;
}

function expectNear(got: ArrayLike<number>, expected: ArrayLike<number>): void {
  let worst = 0;
  for (let i = 0; i < expected.length; i++) worst = Math.max(worst, Math.abs(got[i]! - expected[i]!));
  expect(got.length).toBe(expected.length);
  expect(worst).toBeLessThan(1e-4); // float32 sums in another order, over a text of 500 tokens
}

test("a text that fits is seen whole; beyond that the window moves by a quarter of the context and never overflows", () => {
  expect([1, 8, 9, 10, 11, 12, 13].map((length) => windowStart(length, 8))).toEqual([0, 0, 2, 2, 4, 4, 6]);
  for (const reach of [1, 2, 3, 7, 64])
    for (let length = 1; length < 300; length++) {
      const seen = length - windowStart(length, reach);
      expect(seen).toBeLessThanOrEqual(reach);
      expect(seen).toBeGreaterThan(length <= reach ? length - 1 : reach - Math.max(1, reach / 4));
    }
  expect(windowStart(1e9, Number.POSITIVE_INFINITY)).toBe(0);
});

describe.each(testedEngines)("on %s", (engine) => {
  beforeAll(() => activate(engine));

  const slow = isSlow(engine);
  describe.each(slow ? someModels.slice(0, 1) : everyModel)("$name", ({ kind, head }) => {
    const tokens = engine === "native" && families.some((family) => family === kind) ? 500 : slow ? 20 : 100;
    const contexts = { 20: [16], 100: [64], 500: [64, 512] }[tokens];
    test(`over ${tokens} tokens, read one by one, it agrees with reading anew, also past the context`, async () => {
      for (const contextLength of contexts) {
        const model = makeModel(kind, head, contextLength);
        const reader = createReader(model);
        const ids = someIds(tokens, V);
        const anew = await readAnew(model, ids);
        for (const [last, expected] of anew.entries())
          expectNear((await reader.next(ids.slice(0, last + 1))).logProbs, expected);
        reader.dispose();
        model.dispose();
      }
    });

    test("steps back, branches, prompts in one pass and leaps are as if read anew", async () => {
      const model = makeModel(kind, head);
      const reader = createReader(model);
      const [a, b] = [someIds(60, V, 1), someIds(60, V, 2)];
      const texts = [a.slice(0, 20), a.slice(0, 12), [...a.slice(0, 12), ...b.slice(0, 5)], a.slice(0, 20), b, a];
      for (const text of [...texts, a.slice(0, 1), a.slice(0, 1), [...a, 3], a.slice(0, 31)])
        expectNear((await reader.next(text)).logProbs, (await model.next(text)).logProbs);
      reader.dispose();
      model.dispose();
    });

    test("rows side by side are independent: in any order, doubled, dropped, each is as alone", async () => {
      const model = makeModel(kind, head);
      const reader = createReader(model);
      let texts = [1, 2, 3].map((seed) => [...someIds(9, V, 7), ...someIds(3, V, seed)]);
      for (const rows of [[0, 1, 2], [2, 0, 1], [1, 1, 0, 2], [3], [0, 0], [1, 0]]) {
        texts = rows.map((row, i) => [...texts[row]!, (row + 2 * i) % V]);
        const together = await reader.nextOfEach(texts);
        for (const [i, { logProbs }] of together.entries())
          expectNear(logProbs, (await model.next(texts[i]!)).logProbs);
      }
      reader.dispose();
      model.dispose();
    });

    test("a text's distributions in long strides are those of a reader, token by token", async () => {
      const model = makeModel(kind, head);
      const ids = someIds(100, V);
      const anew = await readAnew(model, ids);
      let seen = 1;
      for (const { from, logProbs } of readText(model, ids)) {
        expect(from).toBe(seen);
        const values = await logProbs.data<"float32">();
        for (let i = 0; i < logProbs.shape[0]; i++, seen++)
          expectNear(values.slice(i * V, (i + 1) * V), anew[from + i - 1]!);
      }
      expect(seen).toBe(100);
      model.dispose();
    });

    test("it leaves no tensors behind, and holds no more of them for a longer text", async () => {
      const model = makeModel(kind, head);
      const before = tf.memory().numTensors;
      const reader = createReader(model);
      const ids = someIds(200, V);
      await reader.next(ids.slice(0, 3));
      expect(
        await tensorsLeft(async () => {
          for (let last = 4; last < 80; last++) await reader.next(ids.slice(0, last));
          await reader.nextOfEach([ids, ids]);
          await reader.next(ids);
        }),
      ).toBe(0);
      reader.dispose();
      for (const _ of readText(model, ids)) break;
      expect(tf.memory().numTensors).toBe(before);
      model.dispose();
    });
  });
});
