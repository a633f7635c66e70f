import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, test } from "vitest";
import { activate, testedEngines } from "../../test/support/engines.ts";
import { TrainingConfig } from "./config.ts";
import { createOptimizer } from "./optimizer.ts";

const settings = TrainingConfig.parse({
  optimizer: { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1, clipNorm: 1 },
}).optimizer;

const variable = (values: number[], shape: number[]): tf.Variable =>
  tf.tidy(() => tf.variable(tf.tensor(values, shape)));

/** Loshchilov and Hutter 2019, algorithm 2, in float64, for one number. */
function createReference(start: number, decay: number) {
  let [p, m, v] = [start, 0, 0];
  return (step: number, learningRate: number, gradient: number): number => {
    m = 0.9 * m + 0.1 * gradient;
    v = 0.99 * v + 0.01 * gradient ** 2;
    const direction = m / (1 - 0.9 ** step) / (Math.sqrt(v / (1 - 0.99 ** step)) + 1e-8);
    p -= learningRate * (direction + decay * p);
    return p;
  };
}

describe.each(testedEngines)("on %s", (engine) => {
  beforeAll(() => activate(engine));

  test("it is AdamW: decay on matrices alone, the gradients' global norm clipped to one", () => {
    const [matrix, bias] = [variable([1, -2], [1, 2]), variable([3], [1])];
    const parameters = new Map([
      ["kernel", matrix],
      ["bias", bias],
    ]);
    const optimizer = createOptimizer(parameters, settings);
    const references = [createReference(1, 0.1), createReference(-2, 0.1), createReference(3, 0)];
    for (let step = 1; step <= 5; step++) {
      const gradients = [Math.sin(step), 3 * Math.cos(step), 0.5 * step];
      const norm = Math.hypot(...gradients);
      const told = tf.tidy(() => {
        const tensors = [tf.tensor2d(gradients.slice(0, 2), [1, 2]), tf.tensor1d(gradients.slice(2))];
        return optimizer.update(step, 0.1 / step, tensors).dataSync()[0]!;
      });
      expect(told).toBeCloseTo(norm, 5);
      const scale = Math.min(1, 1 / (norm + 1e-6));
      const expected = references.map((update, i) => update(step, 0.1 / step, gradients[i]! * scale));
      const got = [...matrix.dataSync(), ...bias.dataSync()];
      for (const [i, value] of expected.entries()) expect(got[i]).toBeCloseTo(value, 5);
    }
    expect([...optimizer.variables.keys()]).toEqual(["first.kernel", "first.bias", "second.kernel", "second.bias"]);
    optimizer.dispose();
    tf.dispose([matrix, bias]);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY])("a gradient of %f changes nothing", (poison) => {
    const parameter = variable([1, 2], [2]);
    const optimizer = createOptimizer(new Map([["x", parameter]]), settings);
    const norm = tf.tidy(() => optimizer.update(1, 0.1, [tf.tensor1d([1, poison])]).dataSync()[0]!);
    expect(Number.isFinite(norm)).toBe(false);
    const values = [parameter, ...optimizer.variables.values()].map((x) => Array.from(x.dataSync()));
    expect(values).toEqual([
      [1, 2],
      [0, 0],
      [0, 0],
    ]);
    optimizer.dispose();
    parameter.dispose();
  });
});
