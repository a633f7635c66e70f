import * as tf from "@tensorflow/tfjs";
import { beforeAll, expect, test } from "vitest";
import { activate } from "../../test/support/engines.ts";
import { tensorsLeft } from "../../test/support/leaks.ts";
import { countParams, disposeParams, namedVariables } from "./params.ts";
import { expectShape } from "./shapes.ts";

beforeAll(() => activate("cpu"));

const variable = (...shape: number[]): tf.Variable => tf.tidy(() => tf.variable(tf.zeros(shape)));

test("a tree's paths are the names, and a variable that is shared counts once, under its first name", () => {
  const shared = variable(2, 3);
  const tree = { table: shared, blocks: [{ gain: variable(4) }, { gain: variable(4) }], output: shared, empty: {} };
  expect([...namedVariables(tree).keys()]).toEqual(["table", "blocks.0.gain", "blocks.1.gain"]);
  expect(countParams(tree)).toBe(14);
  disposeParams(tree);
});

test("disposing a tree frees every variable of it", async () => {
  expect(await tensorsLeft(() => disposeParams({ a: variable(2), b: [variable(3), { c: variable() }] }))).toBe(0);
});

test("a wrong shape names the place, what was expected and what was there", () => {
  tf.tidy(() => {
    const x = tf.zeros([2, 3]);
    expect(() => expectShape("linear x", x, [null, 3])).not.toThrow();
    expect(() => expectShape("linear x", x, [2, 4])).toThrow("linear x: expected shape [2, 4], got [2, 3]");
    expect(() => expectShape("linear x", x, [null])).toThrow("linear x: expected shape [?], got [2, 3]");
  });
});
