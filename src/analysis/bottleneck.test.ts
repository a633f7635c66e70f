import { beforeAll, describe, expect, test } from "vitest";
import { activate } from "../../test/support/engines.ts";
import { tensorsLeft } from "../../test/support/leaks.ts";
import { shake, someIds, tinyConfig } from "../../test/support/models.ts";
import { createModel, type LanguageModel } from "../lm/model.ts";
import { logProbabilityMatrix, rankBound } from "./bottleneck.ts";
import { effectiveRank, spectrumOf } from "./spectrum.ts";
import { spectrumText } from "./spectrumPlot.ts";

beforeAll(() => activate("native"));

const ids = Int32Array.from(someIds(400, 60));
const sizes = { contexts: 50, tokens: 45 };

/** A model of 8 features and 60 tokens as if trained. */
function shaken(head: string, changes: object = {}): LanguageModel {
  const model = createModel(tinyConfig("transformer", head, { vocabSize: 60, ...changes }), 1);
  shake(model, 0.5);
  return model;
}

describe("spectrum", () => {
  test("singular values of a diagonal matrix are its entries, largest first", () => {
    const { singularValues, rank } = spectrumOf([
      [3, 0, 0],
      [0, 0, -5],
    ]);
    expect(singularValues[0]).toBeCloseTo(5, 12);
    expect(singularValues[1]).toBeCloseTo(3, 12);
    expect(rank).toBe(2);
  });

  test("a product of inner size 3, rounded to float32, has rank 3", () => {
    const [a, b] = [1, 2].map((seed) => someIds(40 * 3, 1000, seed).map((id) => id / 500 - 1));
    const rows = Array.from({ length: 40 }, (_, i) =>
      Float32Array.from({ length: 40 }, (_, j) =>
        [0, 1, 2].reduce((sum, k) => sum + a![i * 3 + k]! * b![j * 3 + k]!, 0),
      ),
    );
    expect(spectrumOf(rows).rank).toBe(3);
  });

  test("the effective rank of k equal values is k, of one value 1, of none 0", () => {
    expect(effectiveRank([2, 2, 2, 2])).toBeCloseTo(4, 12);
    expect(effectiveRank([7, 0, 0])).toBe(1);
    expect(effectiveRank([0, 0])).toBe(0);
  });
});

describe("bottleneck", () => {
  test.each([
    ["softmax", 9],
    ["moc:4", 9],
    ["mos:1", 9],
    ["sigmoid", 9],
    ["adaptive:20,40", 11],
  ] as const)("the log-probabilities of %s have the rank that its bound allows: %i", async (head, bound) => {
    const model = shaken(head);
    expect(rankBound(model.config)).toBe(bound);
    expect(spectrumOf(await logProbabilityMatrix(model, ids, sizes)).rank).toBe(bound);
    model.dispose();
  });

  test("an output bias may add one; after a layer norm it does not, whose features span the constant already", async () => {
    const model = shaken("softmax", { output: { bias: true } });
    expect(rankBound(model.config)).toBe(10);
    expect(spectrumOf(await logProbabilityMatrix(model, ids, sizes)).rank).toBe(9);
    model.dispose();
  });

  test.each(["mos:4", "sigsoftmax"])("%s passes the softmax's bound", async (head) => {
    const model = shaken(head);
    expect(rankBound(model.config)).toBeUndefined();
    expect(spectrumOf(await logProbabilityMatrix(model, ids, sizes)).rank).toBeGreaterThan(18);
    model.dispose();
  });

  test("rows are what the model says after each context", async () => {
    const model = shaken("softmax");
    const rows = await logProbabilityMatrix(model, ids, { contexts: 3, tokens: 60 });
    const counts = new Map<number, number>();
    for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
    const columns = [...counts].sort(([a, m], [b, n]) => n - m || a - b).map(([id]) => id);
    const { logProbs } = await model.next(Array.from(ids.subarray(131, 139))); // the second of three starts
    for (const [j, id] of columns.entries()) expect(rows[1]![j]).toBeCloseTo(logProbs[id]!, 4);
    expect(await tensorsLeft(async () => void (await logProbabilityMatrix(model, ids, sizes)))).toBe(0);
    model.dispose();
  });

  test("a text with too few tokens is an error that says how many there are", async () => {
    const model = shaken("softmax");
    const asked = { contexts: 10, tokens: 61 };
    await expect(logProbabilityMatrix(model, ids, asked)).rejects.toThrow("61 different tokens are wanted");
    model.dispose();
  });

  test("plots hold every curve, the rounding floor, and fit the width", async () => {
    const model = shaken("softmax");
    const spectrum = spectrumOf(await logProbabilityMatrix(model, ids, sizes));
    const curves = [
      { name: "a<b", spectrum },
      { name: "mixture", spectrum },
    ];
    const lines = spectrumText(curves, 40);
    expect(Math.max(...lines.slice(0, -1).map((line) => line.length))).toBeLessThanOrEqual(40);
    expect(lines.join("\n")).toMatch(/•|×/);
    model.dispose();
  });
});
