import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, test } from "vitest";
import { activate } from "../../test/support/engines.ts";
import { tensorsLeft } from "../../test/support/leaks.ts";
import { families, shake, someIds, tinyConfig } from "../../test/support/models.ts";
import { namedVariables } from "../engine/params.ts";
import { createModel, type LanguageModel } from "../lm/model.ts";
import { evaluateDynamically, tryRates } from "./dynamicEvaluation.ts";
import { evaluate } from "./evaluation.ts";

beforeAll(() => activate("native"));

const tokenBytes = new Int32Array(11).fill(1);
const noise = Int32Array.from(someIds(61, 11));
const phrase = Int32Array.from({ length: 401 }, (_, i) => [3, 1, 4, 1, 5, 9, 2][i % 7]!);

const bits = (model: LanguageModel): number[][] =>
  [...namedVariables(model.params).values()].map((variable) => [...variable.dataSync()]);

describe.each(families)("%s", (kind) => {
  const make = (): LanguageModel => {
    const model = createModel(tinyConfig(kind, "softmax"), 1);
    shake(model, 0.3);
    return model;
  };

  test("at rate 0 it is the plain evaluation of text in order", async () => {
    const model = make();
    const plain = await evaluate(model, { ids: noise, tokenBytes, batchSize: 1 });
    const dynamic = await evaluateDynamically(model, { ids: noise, tokenBytes, rate: 0, decay: 0 });
    expect(dynamic.tokens).toBe(60);
    expect(dynamic.nats).toBeCloseTo(plain.nats, 6);
    expect(dynamic.bitsPerByte).toBeCloseTo(plain.bitsPerByte, 6);
    model.dispose();
  });

  test("the first piece is predicted before any step, whatever the rate", async () => {
    const model = make();
    const ids = noise.subarray(0, 9);
    const plain = await evaluate(model, { ids, tokenBytes, batchSize: 1 });
    const dynamic = await evaluateDynamically(model, { ids, tokenBytes, rate: 10, decay: 0 });
    expect(dynamic.nats).toBeCloseTo(plain.nats, 6);
    model.dispose();
  });

  test("a phrase said over and over is learnt; the parameters stand as before, bit for bit; no tensor is left", async () => {
    const model = make();
    const before = bits(model);
    const plain = await evaluate(model, { ids: phrase, tokenBytes, batchSize: 1 });
    const options = { ids: phrase, tokenBytes, rate: 0.1, decay: 0.001 };
    expect((await evaluateDynamically(model, options)).nats).toBeLessThan(0.9 * plain.nats);
    expect(bits(model)).toEqual(before);
    expect(await tensorsLeft(() => evaluateDynamically(model, options))).toBe(0);
    model.dispose();
  });
});

/** One weight w, and losses w · target: the gradient of a piece's mean loss is the mean of its targets. */
function createLine(w: number): LanguageModel {
  const weight = tf.tidy(() => tf.variable(tf.scalar(w)));
  return {
    config: { contextLength: 4 },
    params: { weight },
    losses: (_: tf.Tensor, targets: tf.Tensor) => ({
      losses: tf.tidy(() => tf.mul(tf.cast(tf.reshape(targets, [-1]), "float32"), weight)),
      state: [],
    }),
    dispose: () => weight.dispose(),
  } as unknown as LanguageModel;
}

test("each step is θ − η g + λ (θ₀ − θ), taken after the piece was predicted", async () => {
  const [rate, decay] = [0.01, 0.25];
  const model = createLine(2);
  let [w, sum] = [2, 0];
  for (let start = 1; start < noise.length; start += 4) {
    const targets = [...noise.subarray(start, start + 4)];
    const total = targets.reduce((all, id) => all + id, 0);
    sum += w * total;
    w = w - rate * (total / targets.length) + decay * (2 - w);
  }
  const { nats } = await evaluateDynamically(model, { ids: noise, tokenBytes, rate, decay });
  expect(nats).toBeCloseTo(sum / 60, 4); // float32 steps
  model.dispose();
});

test("rates out of range are refused, a loss that is no number ends it, with the parameters as before", async () => {
  const model = createLine(2);
  const run = (rate: number, decay: number) => evaluateDynamically(model, { ids: noise, tokenBytes, rate, decay });
  await expect(run(-1, 0)).rejects.toThrow("dynamic rate: must be a number of at least 0, got -1");
  await expect(run(Number.NaN, 0)).rejects.toThrow("dynamic rate");
  await expect(run(0.1, 2)).rejects.toThrow("dynamic decay: must lie from 0 to 1, got 2");
  await expect(run(1e38, 0)).rejects.toThrow("the loss must stay a number, but was none after");
  expect(bits(model)).toEqual([[2]]);
  model.dispose();
});

test("rates are tried on the same text from the same parameters; one that runs away counts as infinite", async () => {
  const model = createModel(tinyConfig("transformer", "softmax"), 1);
  shake(model, 0.3);
  const options = { ids: phrase.subarray(0, 120), tokenBytes, decay: 0.001 };
  const tried = await tryRates(model, [0.1, 1e30, 0.01], options);
  expect(tried.map(({ rate }) => rate)).toEqual([0.1, 1e30, 0.01]);
  expect(tried[1]!.nats).toBe(Number.POSITIVE_INFINITY);
  for (const { rate, nats } of [tried[0]!, tried[2]!])
    expect((await evaluateDynamically(model, { ...options, rate })).nats).toBe(nats);
  model.dispose();
});
