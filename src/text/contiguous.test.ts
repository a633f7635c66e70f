import { describe, expect, test } from "vitest";
import type { Batch } from "./batches.ts";
import { contiguousEvaluationBatches, createContiguousBatches } from "./contiguous.ts";

const counting = (n: number): Int32Array => Int32Array.from({ length: n }, (_, i) => i);
const rowsOf = ({ inputs, batchSize, contextLength: T }: Batch): number[][] =>
  Array.from({ length: batchSize }, (_, row) => Array.from(inputs.slice(row * T, (row + 1) * T)));

test("rows are read on from batch to batch, and an epoch begins anew", () => {
  const batchAt = createContiguousBatches(counting(18), { seed: 1, batchSize: 2, contextLength: 3, lengths: "fixed" });
  const batches = [0, 1, 2, 3].map(batchAt);
  expect(batches.map(rowsOf)).toEqual([
    [
      [0, 1, 2],
      [8, 9, 10],
    ],
    [
      [3, 4, 5],
      [11, 12, 13],
    ],
    [
      [6, 7],
      [14, 15],
    ],
    [
      [0, 1, 2],
      [8, 9, 10],
    ],
  ]);
  expect(batches.map(({ continues }) => continues)).toEqual([false, true, true, false]);
  for (const { inputs, targets } of batches) expect(Array.from(targets)).toEqual(Array.from(inputs, (id) => id + 1));
});

describe.each(["fixed", "random"] as const)("%s lengths", (lengths) => {
  const options = { seed: 7, batchSize: 3, contextLength: 20, lengths };

  test("a batch is a function of its number, in whatever order they are asked for", () => {
    const inOrder = createContiguousBatches(counting(2000), options);
    const numbers = Array.from({ length: 100 }, (_, i) => i);
    const batches = numbers.map(inOrder);
    for (const number of [99, 3, 4, 50, 0]) {
      expect(inOrder(number)).toEqual(batches[number]);
      expect(createContiguousBatches(counting(2000), options)(number)).toEqual(batches[number]);
    }
  });

  test("in every epoch each row is read whole and in order", () => {
    const batchAt = createContiguousBatches(counting(2000), options);
    let epochs = 0;
    let next = 0;
    for (let number = 0; number < 150; number++) {
      const batch = batchAt(number);
      if (!batch.continues) {
        if (number > 0) expect(next).toBe(Math.floor(1999 / 3));
        next = 0;
        epochs++;
      }
      for (const [row, ids] of rowsOf(batch).entries())
        expect(ids).toEqual(ids.map((_, i) => row * Math.floor(1999 / 3) + next + i));
      next += batch.contextLength;
    }
    expect(epochs).toBeGreaterThan(3);
  });
});

test("random lengths lie around T, one in twenty around T / 2, and differ from epoch to epoch and seed to seed", () => {
  const lengthsOf = (seed: number): number[] => {
    const batchAt = createContiguousBatches(counting(400_001), {
      seed,
      batchSize: 1,
      contextLength: 70,
      lengths: "random",
    });
    return Array.from({ length: 4000 }, (_, number) => batchAt(number).contextLength);
  };
  const lengths = lengthsOf(1);
  const short = lengths.filter((length) => length < 52).length;
  // 4,000 draws with probability 1/20: 200 ± 14; 4 deviations are let through.
  expect(Math.abs(short - 200)).toBeLessThan(56);
  const long = lengths.filter((length) => length >= 52);
  expect(long.reduce((a, b) => a + b, 0) / long.length).toBeCloseTo(70, 0);
  expect(Math.sqrt(long.reduce((a, b) => a + (b - 70) ** 2, 0) / long.length)).toBeCloseTo(5, 0);
  expect(lengthsOf(2).slice(0, 20)).not.toEqual(lengths.slice(0, 20));
});

test("a text that does not fill the rows is refused with what it lacks", () => {
  const make = () =>
    createContiguousBatches(counting(60), { seed: 1, batchSize: 3, contextLength: 20, lengths: "fixed" });
  expect(make).toThrow("must hold at least 61 tokens");
});

describe("evaluation", () => {
  test.each([1, 2, 3, 7, 50])(
    "with %i rows every id but the first is a target once, and rows are read on",
    (batchSize) => {
      const seen = new Map<number, number>();
      let before: Batch | undefined;
      for (const batch of contiguousEvaluationBatches(counting(47), { batchSize, contextLength: 5 })) {
        for (const id of batch.targets) seen.set(id, (seen.get(id) ?? 0) + 1);
        if (batch.continues)
          expect(rowsOf(batch).map((row) => row[0])).toEqual(rowsOf(before!).map((row) => row.at(-1)! + 1));
        before = batch;
      }
      expect([...seen.keys()].sort((a, b) => a - b)).toEqual(Array.from(counting(46), (i) => i + 1));
      expect([...seen.values()].every((count) => count === 1)).toBe(true);
    },
  );

  test("a limit is kept, and its rows start evenly spread", () => {
    const batches = [...contiguousEvaluationBatches(counting(101), { batchSize: 4, contextLength: 3, maxTokens: 22 })];
    expect(batches.reduce((total, { targets }) => total + targets.length, 0)).toBe(20);
    expect(rowsOf(batches[0]!).map((row) => row[0])).toEqual([0, 25, 50, 75]);
  });

  test("of no tokens there are no batches", () => {
    expect([...contiguousEvaluationBatches(counting(1), { batchSize: 4, contextLength: 3 })]).toEqual([]);
  });
});
