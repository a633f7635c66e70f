import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, test } from "vitest";
import { activate, testedEngines } from "../../test/support/engines.ts";
import { read } from "../../test/support/read.ts";
import { TrainingConfig } from "./config.ts";
import { createOptimizer } from "./optimizer.ts";

const settings = TrainingConfig.parse({
  optimizer: { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1, clipNorm: 1 },
}).optimizer;

const variable = (values: number[], shape: number[]): tf.Variable =>
  tf.tidy(() => tf.variable(tf.tensor(values, shape)));

/** What variables hold, one after another. */
const numbersOf = async (...variables: tf.Variable[]): Promise<number[]> =>
  (await Promise.all(variables.map((x) => x.data()))).flatMap((values) => [...values]);

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

  test("it is AdamW: decay on matrices alone, the gradients' global norm clipped to one", async () => {
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
      const [told] = await read(() => {
        const tensors = [tf.tensor2d(gradients.slice(0, 2), [1, 2]), tf.tensor1d(gradients.slice(2))];
        return optimizer.update(step, 0.1 / step, tensors);
      });
      expect(told).toBeCloseTo(norm, 5);
      const scale = Math.min(1, 1 / (norm + 1e-6));
      const expected = references.map((update, i) => update(step, 0.1 / step, gradients[i]! * scale));
      const got = await numbersOf(matrix, bias);
      for (const [i, value] of expected.entries()) expect(got[i]).toBeCloseTo(value, 5);
    }
    expect([...optimizer.variables.keys()]).toEqual(["first.kernel", "first.bias", "second.kernel", "second.bias"]);
    optimizer.dispose();
    tf.dispose([matrix, bias]);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY])("a gradient of %f changes nothing", async (poison) => {
    const parameter = variable([1, 2], [2]);
    const optimizer = createOptimizer(new Map([["x", parameter]]), settings);
    const [norm] = await read(() => optimizer.update(1, 0.1, [tf.tensor1d([1, poison])]));
    expect(Number.isFinite(norm)).toBe(false);
    expect(await numbersOf(parameter, ...optimizer.variables.values())).toEqual([1, 2, 0, 0, 0, 0]);
    optimizer.dispose();
    parameter.dispose();
  });

  /** Two parameters and a run of made-up gradients, with what gradient descent makes of them in float64. */
  async function descend(
    kind: "sgd" | "asgd",
    steps: number,
    onStep: (step: number, optimizer: ReturnType<typeof createOptimizer>) => void,
  ) {
    const { optimizer: config } = TrainingConfig.parse({ optimizer: { kind, weightDecay: 0.1, clipNorm: 1 } });
    const [matrix, bias] = [variable([1, -2], [1, 2]), variable([3], [1])];
    const optimizer = createOptimizer(
      new Map([
        ["kernel", matrix],
        ["bias", bias],
      ]),
      config,
    );
    let expected = [1, -2, 3];
    const path: number[][] = [];
    for (let step = 1; step <= steps; step++) {
      const gradients = [Math.sin(step), 3 * Math.cos(step), 0.5 * step];
      const norm = Math.hypot(...gradients);
      const [told] = await read(() => {
        const tensors = [tf.tensor2d(gradients.slice(0, 2), [1, 2]), tf.tensor1d(gradients.slice(2))];
        return optimizer.update(step, 0.2, tensors);
      });
      expect(told).toBeCloseTo(norm, 5);
      const scale = Math.min(1, 1 / (norm + 1e-6));
      expected = expected.map((p, i) => p - 0.2 * (gradients[i]! * scale + (i < 2 ? 0.1 : 0) * p));
      path.push(expected);
      const got = await numbersOf(matrix, bias);
      for (const [i, value] of expected.entries()) expect(got[i]).toBeCloseTo(value, 5);
      onStep(step, optimizer);
    }
    const values = () => numbersOf(matrix, bias);
    return { optimizer, path, values, dispose: () => [optimizer, matrix, bias].map((x) => x.dispose()) };
  }

  test("sgd descends along clipped gradients, with decay on matrices alone", async () => {
    const { optimizer, dispose } = await descend("sgd", 5, () => {});
    expect(optimizer.variables.size).toBe(0);
    dispose();
  });

  test("asgd trains like sgd; what it shows is the mean of all parameters since validation stopped improving", async () => {
    // Seven falling losses, then one above all: with a patience of 5 it fires there, at step 8.
    const { optimizer, path, values, dispose } = await descend("asgd", 12, (step, own) =>
      own.evaluated(step < 8 ? 9 - step : 99, step),
    );
    const mean = [0, 1, 2].map((i) => path.slice(8).reduce((sum, p) => sum + p[i]!, 0) / 4);
    const trained = await values();
    optimizer.swap();
    const shown = await values();
    for (const [i, value] of mean.entries()) expect(shown[i]).toBeCloseTo(value, 5);
    optimizer.swap();
    expect(await values()).toEqual(trained);
    dispose();
  });

  test("before that asgd shows what it trains", async () => {
    const { optimizer, values, dispose } = await descend("asgd", 4, () => {});
    const trained = await values();
    optimizer.swap();
    expect(await values()).toEqual(trained);
    dispose();
  });

  test.each(["sgd", "asgd"] as const)("%s leaves everything alone where a gradient is not finite", async (kind) => {
    const parameter = variable([1, 2], [2]);
    const optimizer = createOptimizer(
      new Map([["x", parameter]]),
      TrainingConfig.parse({ optimizer: { kind } }).optimizer,
    );
    const [norm] = await read(() => optimizer.update(1, 0.1, [tf.tensor1d([1, Number.NaN])]));
    expect(Number.isFinite(norm)).toBe(false);
    expect(await numbersOf(parameter)).toEqual([1, 2]);
    optimizer.swap();
    expect(await numbersOf(parameter)).toEqual([1, 2]);
    optimizer.dispose();
    parameter.dispose();
  });
});
