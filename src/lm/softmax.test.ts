// The laws of the softmax, by property.
import fc from "fast-check";
import { expect, test } from "vitest";
import { logSoftmax, logSumExp, softmax } from "./softmax.ts";

const score = fc.double({ min: -1e4, max: 1e4, noNaN: true });
const scores = fc.array(score, { minLength: 1, maxLength: 40 });
const temperature = fc.double({ min: 0.05, max: 20, noNaN: true });
const sum = (values: Iterable<number>): number => [...values].reduce((a, b) => a + b, 0);
const masked = Number.NEGATIVE_INFINITY;

test("the worked example: scores 2, 1, 0.5", () => {
  const expected = [0.6285, 0.2312, 0.1402];
  for (const [v, p] of softmax([2, 1, 0.5]).entries()) expect(p).toBeCloseTo(expected[v]!, 4);
});

test("probabilities lie in [0, 1] and sum to one", () => {
  fc.assert(
    fc.property(scores, temperature, (z, tau) => {
      const p = softmax(z, tau);
      expect(p.every((x) => x >= 0 && x <= 1)).toBe(true);
      expect(sum(p)).toBeCloseTo(1, 12);
    }),
  );
});

test("a higher score never has a lower probability", () => {
  fc.assert(
    fc.property(scores, (z) => {
      const p = softmax(z);
      for (let i = 1; i < z.length; i++)
        expect(Math.sign(z[i]! - z[i - 1]!) * (p[i]! - p[i - 1]!)).toBeGreaterThanOrEqual(0);
    }),
  );
});

test("a constant added to all scores changes nothing", () => {
  fc.assert(
    fc.property(scores, score, (z, shift) => {
      const [p, q] = [softmax(z), softmax(z.map((x) => x + shift))];
      for (const [v, x] of p.entries()) expect(q[v]).toBeCloseTo(x, 9); // a sum near 1e4 is spaced 2e-12
    }),
  );
});

test("logarithms agree: log p = z − logsumexp z, and exp of it is p", () => {
  fc.assert(
    fc.property(scores, temperature, (z, tau) => {
      const [logs, p, s] = [logSoftmax(z, tau), softmax(z, tau), logSumExp(z, tau)];
      for (const [v, x] of logs.entries()) {
        expect(Math.exp(x)).toBeCloseTo(p[v]!, 12);
        expect(Math.abs(z[v]! / tau - s - x)).toBeLessThan(1e-9 * Math.max(1, Math.abs(s)));
      }
    }),
  );
});

test("temperature divides scores; towards 0 the largest takes all, towards infinity all are equal", () => {
  fc.assert(
    fc.property(scores, temperature, (z, tau) => {
      const [p, q] = [softmax(z, tau), softmax(z.map((x) => x / tau))];
      for (const [v, x] of p.entries()) expect(q[v]).toBeCloseTo(x, 8);
    }),
  );
  expect([...softmax([1, 3, 2], 1e-3)]).toEqual([0, 1, 0]);
  for (const p of softmax([1, 3, 2], 1e9)) expect(p).toBeCloseTo(1 / 3, 8);
});

test("two classes are a sigmoid of the difference", () => {
  fc.assert(
    fc.property(
      fc.double({ min: -500, max: 500, noNaN: true }),
      fc.double({ min: -500, max: 500, noNaN: true }),
      (a, b) => {
        expect(softmax([a, b])[0]).toBeCloseTo(1 / (1 + Math.exp(b - a)), 12);
      },
    ),
  );
});

test("scores of 1000 and more overflow nothing", () => {
  expect([...softmax([1000, 1000])]).toEqual([0.5, 0.5]);
  expect(logSumExp([1000, 1000])).toBe(1000 + Math.LN2);
  expect([...softmax([-1e4, 1e4])]).toEqual([0, 1]);
  expect(logSumExp([1e308, 1e308])).toBe(1e308);
});

test("masked scores have probability 0 and do not touch the others", () => {
  fc.assert(
    fc.property(scores, fc.nat(39), (z, place) => {
      const at = place % (z.length + 1);
      const p = softmax(z.toSpliced(at, 0, masked));
      expect(p[at]).toBe(0);
      expect([...p].toSpliced(at, 1)).toEqual([...softmax(z)]);
    }),
  );
});

test("where all is masked, all probabilities are 0", () => {
  expect([...softmax([masked, masked])]).toEqual([0, 0]);
  expect([...logSoftmax([masked, masked])]).toEqual([masked, masked]);
  expect(logSumExp([masked, masked])).toBe(masked);
  expect(logSumExp([])).toBe(masked);
});

test("the loss from scores is that from probabilities where both are finite, and finite where that is not", () => {
  fc.assert(
    fc.property(scores, (z) => {
      const [loss, fromProbability] = [-logSoftmax(z)[0]!, -Math.log(softmax(z)[0]!)];
      expect(Number.isFinite(loss)).toBe(true);
      if (fromProbability < 700) expect(loss).toBeCloseTo(fromProbability, 9); // below, p is denormal
    }),
  );
  expect(-Math.log(softmax([-1000, 0])[0]!)).toBe(Number.POSITIVE_INFINITY);
  expect(-logSoftmax([-1000, 0])[0]!).toBe(1000);
});
