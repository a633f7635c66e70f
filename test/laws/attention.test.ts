// What holds for every way of turning attention scores into weights, on every engine. Values and gradients: fusedOps.test.ts.
import * as tf from "@tensorflow/tfjs";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { slopesOf } from "../../src/attention/alibi.ts";
import { type AttentionForm, attend, attentionWeights, repeatKeyValues } from "../../src/attention/attend.ts";
import { maskScores } from "../../src/attention/masks.ts";
import { type NormaliserName, normalisers } from "../../src/attention/normalisers.ts";
import { activate, synchronousEngines } from "../support/engines.ts";
import { tensorsLeft } from "../support/leaks.ts";

const names = Object.keys(normalisers) as NormaliserName[];
const distributions = ["softmax", "sparsemax", "entmax15"] as const;
const plain: AttentionForm = { heads: 2, keyValueHeads: 2, normaliser: "softmax", alibi: false, window: 0 };

/** Weights of one row of scores. */
const weightsOf = (name: NormaliserName, scores: readonly number[]): number[] =>
  tf.tidy(() => {
    const row = tf.tensor4d([...scores], [1, 1, 1, scores.length]);
    return Array.from(normalisers[name].weights(row).dataSync());
  });
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

const score = fc.double({ min: -8, max: 8, noNaN: true }).map(Math.fround);
const row = fc.array(score, { minLength: 1, maxLength: 20 });
const rows = (check: (scores: number[]) => void): void => fc.assert(fc.property(row, check), { numRuns: 40, seed: 7 });

describe.each(synchronousEngines)("on %s", (engine) => {
  beforeAll(() => activate(engine));

  test.each(distributions)("%s gives a distribution, which no constant added to all scores changes", (name) => {
    rows((scores) => {
      const weights = weightsOf(name, scores);
      expect(sum(weights)).toBeCloseTo(1, 5);
      const moved = weightsOf(
        name,
        scores.map((value) => value + 3),
      );
      for (const [i, weight] of weights.entries()) expect(moved[i]).toBeCloseTo(weight, 5);
    });
  });

  test.each(names)("%s gives weights from 0 to 1, the larger to the larger score, 0 to what is masked", (name) => {
    rows((scores) => {
      const weights = weightsOf(name, [...scores, Number.NEGATIVE_INFINITY]);
      expect(weights.pop()).toBe(0);
      for (const [i, weight] of weights.entries()) {
        expect(weight).toBeGreaterThanOrEqual(0);
        expect(weight).toBeLessThanOrEqual(1 + 1e-6);
        for (const [j, other] of weights.entries())
          if (scores[i]! >= scores[j]!) expect(weight).toBeGreaterThanOrEqual(other - 1e-6);
      }
    });
  });

  test("softmax1 is a softmax with one more score of 0: its weights sum to less than 1, and to 0 where all scores are low", () => {
    rows((scores) => {
      const weights = weightsOf("softmax1", scores);
      expect(1 - sum(weights)).toBeCloseTo(weightsOf("softmax", [...scores, 0]).at(-1)!, 5);
    });
    expect(sum(weightsOf("softmax1", [-1e4, -1e4]))).toBe(0);
    expect(weightsOf("softmax1", [1e4, 1e4])).toEqual([0.5, 0.5]);
  });

  test("sparsemax is 0 one below the largest score, entmax15 two below, and no earlier for the smoother one", () => {
    expect(weightsOf("sparsemax", [1e4, 1e4 - 1, -1e4])).toEqual([1, 0, 0]);
    expect(weightsOf("entmax15", [1e4, 1e4 - 2, -1e4])).toEqual([1, 0, 0]);
    expect(weightsOf("entmax15", [0, -1])[1]).toBeGreaterThan(0.05);
    const support = (name: NormaliserName, scores: number[]): number =>
      weightsOf(name, scores).filter((weight) => weight > 0).length;
    rows((scores) => {
      expect(support("sparsemax", scores)).toBeLessThanOrEqual(support("entmax15", scores));
    });
    expect(weightsOf("sparsemax", [0, 0, 0, 0])).toEqual([0.25, 0.25, 0.25, 0.25]);
    expect(weightsOf("entmax15", [0, 0, 0, 0])).toEqual([0.25, 0.25, 0.25, 0.25]);
  });

  test("a window of one sees its own value; a window as long as the text sees it whole; nothing is left behind", async () => {
    const qkv = tf.randomNormal<tf.Rank.R3>([2, 5, 24], 0, 1, "float32", 4);
    const values = (form: Partial<AttentionForm>): number[] =>
      tf.tidy(() => Array.from(attend(qkv, { ...plain, ...form }).dataSync()));
    const own = tf.tidy(() => Array.from(tf.slice(qkv, [0, 0, 16], [2, 5, 8]).dataSync()));
    for (const [i, value] of values({ window: 1 }).entries()) expect(value).toBeCloseTo(own[i]!, 5);
    for (const normaliser of names)
      for (const [i, value] of values({ normaliser, window: 5 }).entries())
        expect(value).toBeCloseTo(values({ normaliser })[i]!, 5);
    expect(await tensorsLeft(() => values({ normaliser: "softmax1", alibi: true }))).toBe(0);
    qkv.dispose();
  });

  test("heads that share keys and values, doubled, are heads that have equal ones; weights are those of attention", () =>
    tf.tidy(() => {
      const form: AttentionForm = { ...plain, heads: 4, normaliser: "sigmoid", alibi: true, window: 4 };
      const shared = tf.randomNormal<tf.Rank.R3>([1, 6, 24], 0, 1, "float32", 4); // (4 + 2 · 1) heads of 4
      const qkv = repeatKeyValues(shared, { ...form, keyValueHeads: 1 });
      const [v, out] = [tf.slice(shared, [0, 0, 20], [1, 6, 4]), attend(qkv, form)]; // [1, 6, 4], [1, 6, 16]
      for (let head = 0; head < 4; head++) {
        const weights = attentionWeights(qkv, form, head); // [6, 6]
        const mixed = tf.matMul(weights, tf.reshape<tf.Rank.R2>(v, [6, 4])).dataSync();
        const expected = tf.slice(out, [0, 0, 4 * head], [1, 6, 4]).dataSync();
        for (const [i, value] of expected.entries()) expect(mixed[i]).toBeCloseTo(value, 5);
      }
    }));
});

test("slopes fall from 1/2 to 1/256 over 8 heads; where heads are no power of two, the rest lie between those of the power below", () => {
  expect(slopesOf(8)).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((i) => 2 ** -i));
  expect(slopesOf(1)).toEqual([2 ** -8]);
  expect(slopesOf(6)).toEqual([2 ** -2, 2 ** -4, 2 ** -6, 2 ** -8, 2 ** -1, 2 ** -3]);
  expect(new Set(slopesOf(13)).size).toBe(13);
});

test("a mask tells each query what it sees, from wherever keys begin", () => {
  const inf = Number.NEGATIVE_INFINITY;
  const seen = maskScores({ query: 3, queries: 2, key: 1, keys: 4 }, 3, (distance, count) => 10 * count + distance);
  expect(Array.from(seen)).toEqual([32, 31, 30, inf, inf, 32, 31, 30]);
  const start = maskScores({ query: 0, queries: 2, key: 0, keys: 2 }, 3, (distance, count) => 10 * count + distance);
  expect(Array.from(start)).toEqual([10, inf, 21, 20]);
});
