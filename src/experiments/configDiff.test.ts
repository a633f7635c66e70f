import { expect, test } from "vitest";
import { changeLine, configChanges } from "./configDiff.ts";

test("names every key that differs, also those that one side lacks", () => {
  const before = { seed: 1, model: { kind: "transformer", layers: 2 }, probes: ["a"], same: { x: 0 } };
  const after = {
    seed: 2,
    model: { kind: "transformer", layers: 2, feedForwardSize: 9 },
    probes: ["a", "b"],
    same: { x: 0 },
  };
  expect(configChanges(before, after).map(changeLine)).toEqual([
    "seed: 1 → 2",
    'probes: ["a"] → ["a","b"]',
    "model.feedForwardSize: (default) → 9",
  ]);
});

test("a head is one value in its short form, whatever its keys", () => {
  const changes = configChanges(
    { model: { head: { kind: "softmax" } } },
    { model: { head: { kind: "adaptive", cutoffs: [20, 100] } } },
  );
  expect(changes.map(changeLine)).toEqual(["model.head: softmax → adaptive:20,100"]);
});

test("equal configurations differ nowhere", () => {
  expect(configChanges({ a: { b: [1, 2] } }, { a: { b: [1, 2] } })).toEqual([]);
});
