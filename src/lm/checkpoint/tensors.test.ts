import * as tf from "@tensorflow/tfjs";
import { beforeAll, expect, test } from "vitest";
import { activate } from "../../../test/support/engines.ts";
import { tensorsLeft } from "../../../test/support/leaks.ts";
import { collectTensor, tensorInMemory } from "./tensorSource.ts";
import { variableSources, writeVariables } from "./tensors.ts";

beforeAll(() => activate("native"));

const variable = (values: number[], shape = [values.length]): tf.Variable =>
  tf.tidy(() => tf.variable(tf.tensor(values, shape)));

test("what is read out and written back is the same; nothing is left behind", async () => {
  const left = await tensorsLeft(async () => {
    const variables = new Map([["w", variable([1, 2, 3, 4], [2, 2])]]);
    const source = variableSources(variables).get("w")!;
    const values = await collectTensor(source);
    expect([source.shape, values]).toEqual([[2, 2], Float32Array.of(1, 2, 3, 4)]);
    tf.tidy(() => variables.get("w")!.assign(tf.zeros([2, 2])));
    await writeVariables("x", variables, new Map([["w", tensorInMemory(values, [2, 2])]]));
    values.fill(9);
    expect(Array.from(variables.get("w")!.dataSync())).toEqual([1, 2, 3, 4]);
    tf.dispose([...variables.values()]);
  });
  expect(left).toBe(0);
});

test("other names or shapes are refused before anything is changed", async () => {
  const variables = new Map([
    ["a", variable([1])],
    ["b", variable([2])],
  ]);
  const one = tensorInMemory(Float32Array.of(9), [1]);
  const write = (stored: Record<string, typeof one>) =>
    writeVariables("model.safetensors", variables, new Map(Object.entries(stored)));
  await expect(write({ a: one })).rejects.toThrow("model.safetensors: lacks tensor b");
  await expect(write({ a: one, b: one, c: one })).rejects.toThrow("holds tensor c, which the model does not have");
  await expect(write({ a: one, b: tensorInMemory(Float32Array.of(9), [1, 1]) })).rejects.toThrow(
    "tensor b has shape [1,1], the model expects [1]",
  );
  expect(Array.from(variables.get("a")!.dataSync())).toEqual([1]);
  tf.dispose([...variables.values()]);
});
