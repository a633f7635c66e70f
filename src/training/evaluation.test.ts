import * as tf from "@tensorflow/tfjs";
import { beforeAll, expect, test } from "vitest";
import { activate } from "../../test/support/engines.ts";
import { tensorsLeft } from "../../test/support/leaks.ts";
import type { LanguageModel } from "../lm/model.ts";
import { evaluate } from "./evaluation.ts";

beforeAll(() => activate("native"));

/** A model that finds token `id` `id / 10` nats surprising, whatever comes before. */
const surprised = {
  config: { contextLength: 4 },
  initialState: () => [],
  losses: (_: tf.Tensor, targets: tf.Tensor) => ({
    losses: tf.div(tf.cast(tf.reshape(targets, [-1]), "float32"), 10),
    state: [],
  }),
} as unknown as LanguageModel;

/** Token `id` is `id` bytes long. */
const tokenBytes = Int32Array.from({ length: 100 }, (_, id) => id);
const ids = Int32Array.from({ length: 23 }, (_, i) => i + 1);

test("every token but the first is predicted once, whatever the size of the batch", async () => {
  const sum = (23 * 24) / 2 - 1;
  for (const batchSize of [1, 2, 5, 100]) {
    const result = await evaluate(surprised, { ids, tokenBytes, batchSize });
    expect(result.tokens).toBe(22);
    expect(result.nats).toBeCloseTo(sum / 10 / 22, 6); // losses are float32
    expect(result.perplexity).toBe(Math.exp(result.nats));
    expect(result.bitsPerByte).toBeCloseTo(sum / 10 / (Math.LN2 * sum), 6);
  }
});

test("a limit takes whole windows", async () => {
  expect((await evaluate(surprised, { ids, tokenBytes, batchSize: 2, maxTokens: 9 })).tokens).toBe(8);
});

test("it tells how many tokens have been predicted, to the last", async () => {
  const told: number[] = [];
  await evaluate(surprised, { ids, tokenBytes, batchSize: 2, onProgress: (tokens) => told.push(tokens) });
  expect(told).toEqual([8, 16, 20, 22]);
});

test("no tensor is left, and a signal ends it", async () => {
  expect(await tensorsLeft(() => evaluate(surprised, { ids, tokenBytes, batchSize: 2 }))).toBe(0);
  const { tokens } = await evaluate(surprised, { ids, tokenBytes, batchSize: 2, signal: AbortSignal.abort() });
  expect(tokens).toBe(0);
});
