// A layer of LSTM or GRU has the values and gradients of PyTorch's with the same weights.
import { readFileSync } from "node:fs";
import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, test } from "vitest";
import { type CellParams, cells } from "../../src/lm/trunks/cells.ts";
import { activate, testedEngines } from "../support/engines.ts";
import { readAll } from "../support/read.ts";

type Name = keyof CellParams;
interface Fixture {
  readonly sizes: { readonly B: number; readonly T: number; readonly I: number; readonly U: number };
  readonly x: number[];
  readonly state: number[][];
  readonly parameters: Record<Name, number[]>;
  /** The gradients are those of `Σ weights · output`. */
  readonly weights: number[];
  readonly output: number[];
  readonly final: number[][];
  readonly gradients: Record<Name | "x", number[]>;
}

const fixtures = JSON.parse(readFileSync("test/fixtures/recurrent.fixture.json", "utf8")) as Record<string, Fixture>;

function expectNear(values: Float32Array, expected: number[], what: string): void {
  expect(values.length, what).toBe(expected.length);
  for (const [i, value] of expected.entries()) expect(values[i]!, what).toBeCloseTo(value, 5);
}

describe.each(testedEngines)("on %s", (engine) => {
  beforeAll(() => activate(engine));

  test.each(["lstm", "gru"] as const)("%s", async (kind) => {
    const { sizes, ...fixture } = fixtures[kind]!;
    const { B, T, I, U } = sizes;
    const cell = cells[kind];
    const G = cell.gates * U;
    const shapes = { inputKernel: [I, G], inputBias: [G], recurrentKernel: [U, G], recurrentBias: [G] };
    const names = Object.keys(shapes) as Name[];
    const [outputs, dx, ...rest] = await readAll(() => {
      const x = tf.tensor3d(fixture.x, [B, T, I]);
      const state = fixture.state.map((part) => tf.tensor2d(part, [B, U]));
      const run = (input: tf.Tensor, parameters: tf.Tensor[]) =>
        cell.run(
          Object.fromEntries(names.map((name, i) => [name, parameters[i]!])) as unknown as CellParams,
          input as tf.Tensor3D,
          state,
        );
      const parameters = names.map((name) => tf.tensor(fixture.parameters[name], shapes[name]));
      const { outputs, carried } = run(x, parameters);
      const weights = tf.tensor3d(fixture.weights, [B, T, U]);
      const scalar = (input: tf.Tensor, ...given: tf.Tensor[]) => tf.sum(tf.mul(run(input, given).outputs, weights));
      const [dx, ...gradients] = tf.grads(scalar)([x, ...parameters]);
      return [outputs, dx!, ...gradients, ...carried];
    });
    expectNear(outputs!, fixture.output, "outputs");
    expectNear(dx!, fixture.gradients.x, "gradient of x");
    for (const [i, name] of names.entries()) expectNear(rest[i]!, fixture.gradients[name], `gradient of ${name}`);
    const carried = rest.slice(names.length);
    expect(carried).toHaveLength(fixture.final.length);
    for (const [i, part] of carried.entries()) expectNear(part, fixture.final[i]!, "carried");
  });
});
