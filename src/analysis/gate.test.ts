import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, test } from "vitest";
import { idsTensor, someIds, tinyConfig } from "../../test/support/models.ts";
import { useEngine } from "../engine/engine.ts";
import type { MixtureParams } from "../lm/heads/components.ts";
import { createModel, type LanguageModel } from "../lm/model.ts";
import { deadComponents, gateLine, gateWarnings } from "./gate.ts";
import { gateUse } from "./gateUse.ts";

beforeAll(() => useEngine("cpu"));

const ids = Int32Array.from(someIds(200, 11));
const watch = { batchSize: 4, maxTokens: 64 };

/** A mixture whose gate says `log π = scores` plus a constant at every position, as the features' last norm is a constant. */
function modelWithGate(
  head: string,
  scores: readonly number[],
  change?: (model: LanguageModel) => void,
): LanguageModel {
  const model = createModel(tinyConfig("transformer", head), 1);
  const { finalNorm } = model.params.trunk as unknown as { finalNorm: Record<string, tf.Variable> };
  // The last norm gives the first unit vector whatever comes in: its gain is 0, its bias (1, 0, …).
  finalNorm.gain!.assign(tf.zeros([8]));
  finalNorm.bias!.assign(tf.tensor1d([1, 0, 0, 0, 0, 0, 0, 0]));
  const { gate } = model.params.head as MixtureParams;
  gate.kernel.assign(tf.tensor2d([scores as number[], ...Array.from({ length: 7 }, () => scores.map(() => 0))]));
  change?.(model);
  return model;
}

describe.each(["mos", "moc"])("a %s", (kind) => {
  test("with a component that the gate never chooses is found to have a dead one, by its number", async () => {
    const model = modelWithGate(`${kind}:4`, [0, -20, 0, 0]);
    const use = (await gateUse(model, ids, watch))!;
    expect(use.tokens).toBe(64);
    expect(use.weights.map((weight) => Number(weight.toFixed(4)))).toEqual([0.3333, 0, 0.3333, 0.3333]);
    expect(use.entropy).toBeCloseTo(Math.log(3), 5);
    expect(deadComponents(use)).toEqual([1]);
    const [warning] = gateWarnings(use, false);
    expect(warning!.text).toMatch(/^component 2 of 4 is dead: mean weight 0\.000 %, where an even share is 25\.0 %$/);
    expect(warning!.hint).toContain("A mixture of 3 does the same for less");
    model.dispose();
  });

  test("whose gate is untouched weighs all alike, which is told once it should have learned", async () => {
    const model = modelWithGate(`${kind}:4`, [0, 0, 0, 0]);
    const use = (await gateUse(model, ids, watch))!;
    expect(use.entropy).toBeCloseTo(Math.log(4), 6);
    expect(gateWarnings(use, false)).toEqual([]);
    expect(gateWarnings(use, true).map(({ key }) => key)).toEqual(["undecided"]);
    model.dispose();
  });
});

test("the mean weights are those that the model tells position by position", async () => {
  const model = createModel(tinyConfig("lstm", "mos:4"), 5);
  const { gate } = model.params.head as MixtureParams;
  gate.kernel.assign(
    tf.tensor2d(
      Float32Array.from(someIds(32, 9), (id) => id - 4),
      [8, 4],
    ),
  );
  const text = someIds(9, 11, 3);
  const use = (await gateUse(model, Int32Array.from(text), { batchSize: 1, maxTokens: 100 }))!;
  const sums = [0, 0, 0, 0];
  let entropy = 0;
  for (let end = 1; end <= 8; end++) {
    const { mixture } = await model.next(text.slice(0, end));
    for (const [k, weight] of mixture!.entries()) {
      sums[k]! += weight / 8;
      entropy -= (weight * Math.log(weight)) / 8;
    }
  }
  expect(use.tokens).toBe(8);
  for (const [k, sum] of sums.entries()) expect(use.weights[k]).toBeCloseTo(sum, 5);
  expect(use.entropy).toBeCloseTo(entropy, 5);
  model.dispose();
});

test("heads that mix nothing have no gate, and looking leaves no tensors", async () => {
  const plain = createModel(tinyConfig("transformer", "softmax"), 1);
  expect(await gateUse(plain, ids, watch)).toBeUndefined();
  plain.dispose();
  const mixture = createModel(tinyConfig("transformer", "mos:4"), 1);
  mixture.hidden(idsTensor([someIds(8, 11)])).dispose();
  const before = tf.memory().numTensors;
  await gateUse(mixture, ids, watch);
  expect(tf.memory().numTensors).toBe(before);
  mixture.dispose();
});

test.each([
  [[0.97, 0.01, 0.01, 0.01], "components 2, 3 and 4 of 4 are dead", "A softmax does the same for less"],
  [[0.99, 0.01], "component 2 of 2 is dead", "A softmax does the same for less"],
])("weights %j are told as %s", (weights, words, hint) => {
  const [warning] = gateWarnings({ weights, entropy: 0.1 }, false);
  expect(warning!.text).toContain(words);
  expect(warning!.hint).toContain(hint);
});

test("a gate that takes one component at a time is told as deciding, whichever it takes", () => {
  const warnings = gateWarnings({ weights: [0.4, 0.3, 0.3], entropy: 0.001 }, false);
  expect(warnings.map(({ key }) => key)).toEqual(["decided"]);
});

test("a gate in good order gives no warning, nor does a mixture of one", () => {
  expect(gateWarnings({ weights: [0.5, 0.2, 0.3], entropy: 0.6 }, true)).toEqual([]);
  expect(gateWarnings({ weights: [1], entropy: 0 }, true)).toEqual([]);
});

test("the line lists weights while they are few", () => {
  expect(gateLine({ weights: [0.75, 0.25], entropy: 0.5 })).toBe(
    "gate: entropy 0.50 of at most 0.69 nats, mean weights 0.75 0.25",
  );
  const many = Array.from({ length: 16 }, (_, k) => (k + 1) / 136);
  expect(gateLine({ weights: many, entropy: 2 })).toContain("from 0.0074 to 0.1176");
});
