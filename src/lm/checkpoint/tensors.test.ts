import * as tf from "@tensorflow/tfjs";
import { beforeAll, expect, test } from "vitest";
import { activate } from "../../../test/support/engines.ts";
import { tensorsLeft } from "../../../test/support/leaks.ts";
import { readVariables, writeVariables } from "./tensors.ts";

beforeAll(() => activate("native"));

const variable = (values: number[], shape = [values.length]): tf.Variable =>
  tf.tidy(() => tf.variable(tf.tensor(values, shape)));

test("what is read out is a copy, and written back it is the same; nothing is left behind", async () => {
  const left = await tensorsLeft(async () => {
    const variables = new Map([["w", variable([1, 2, 3, 4], [2, 2])]]);
    const stored = await readVariables(variables);
    tf.tidy(() => variables.get("w")!.assign(tf.zeros([2, 2])));
    expect(stored).toEqual(new Map([["w", { shape: [2, 2], values: Float32Array.of(1, 2, 3, 4) }]]));
    writeVariables("x", variables, stored);
    stored.get("w")!.values.fill(9);
    expect(Array.from(variables.get("w")!.dataSync())).toEqual([1, 2, 3, 4]);
    tf.dispose([...variables.values()]);
  });
  expect(left).toBe(0);
});

test("other names or shapes are refused before anything is changed", () => {
  const variables = new Map([
    ["a", variable([1])],
    ["b", variable([2])],
  ]);
  const one = { shape: [1], values: Float32Array.of(9) };
  const write = (stored: Record<string, typeof one>) => () =>
    writeVariables("model.safetensors", variables, new Map(Object.entries(stored)));
  expect(write({ a: one })).toThrow("model.safetensors: lacks tensor b");
  expect(write({ a: one, b: one, c: one })).toThrow("holds tensor c, which the model does not have");
  expect(write({ a: one, b: { shape: [1, 1], values: one.values } })).toThrow(
    "tensor b has shape [1,1], the model expects [1]",
  );
  expect(Array.from(variables.get("a")!.dataSync())).toEqual([1]);
  tf.dispose([...variables.values()]);
});
