// Binary answers against sums written out; a source whose truth is known; repairs that find a known wrong slope.
import { describe, expect, test } from "vitest";
import { createRandomStream, randomKey } from "../engine/random.ts";
import { answerRepair, collectAnswers, fitAnswers, measureAnswers } from "./binary.ts";
import { inMemory, type PredictionBatch, type Predictions } from "./predictions.ts";
import { topLabelKinds } from "./repairs/table.ts";

const softmax = (scores: readonly number[]): number[] => {
  const powers = scores.map(Math.exp);
  return powers.map((power) => power / powers.reduce((a, b) => a + b, 0));
};

/** One of V classes comes true with known probabilities; each answer's log-odds are `slope` times the true ones, plus `shift`. */
function answers(
  count: number,
  V: number,
  { slope, shift, seed }: { slope: number; shift: number; seed: number },
): Predictions {
  const random = createRandomStream(randomKey(seed, "answers"));
  const [logProbs, targets] = [new Float64Array(count * V), new Int32Array(count)];
  for (let n = 0; n < count; n++) {
    const p = softmax(Array.from({ length: V }, () => 1.5 * random.normal()));
    const point = random.uniform();
    const upTo = p.map((_, v) => p.slice(0, v + 1).reduce((a, b) => a + b, 0));
    targets[n] = Math.max(
      0,
      upTo.findIndex((sum) => sum > point),
    );
    for (const [v, share] of p.entries())
      logProbs[n * V + v] = -Math.log1p(Math.exp(-slope * Math.log(share / (1 - share)) - shift));
  }
  return inMemory(V, logProbs, targets);
}

/** `Σ_b |Σ (truth − p)| / 50` over ten bins of p. */
function binnedGaps(pairs: readonly { share: number; truth: number }[]): number {
  const inBin = (bin: number) => pairs.filter(({ share }) => Math.floor(share * 10) === bin);
  const gap = (bin: number): number => inBin(bin).reduce((sum, { share, truth }) => sum + truth - share, 0);
  return Array.from({ length: 10 }, (_, bin) => Math.abs(gap(bin)) / 50).reduce((a, b) => a + b, 0);
}

describe("binary answers", () => {
  test("every figure is its sum over all classes and tokens", async () => {
    const source = answers(50, 4, { slope: 1.7, shift: 0.3, seed: 1 });
    const { metrics, bins, count } = await measureAnswers(source, undefined, { draws: 0, bins: 10 });
    const [{ logProbs, targets }] = [...(source.batches() as Iterable<PredictionBatch>)] as [PredictionBatch];
    const tokens = Array.from(targets, (y, n) => ({ y, p: Array.from(logProbs.subarray(n * 4, n * 4 + 4), Math.exp) }));
    const all = tokens.flatMap(({ y, p }) => p.map((share, v) => ({ share, truth: v === y ? 1 : 0 })));
    const tops = tokens.map(({ y, p }) => ({ share: Math.max(...p), truth: p.indexOf(Math.max(...p)) === y ? 1 : 0 }));
    const perToken = (of: (answer: (typeof all)[number]) => number): number =>
      all.reduce((sum, each) => sum + of(each), 0) / 50;
    expect(count).toBe(50);
    expect(metrics.nll.value).toBeCloseTo(
      perToken(({ share, truth }) => -Math.log(truth ? share : 1 - share)),
      12,
    );
    expect(metrics.sum.value).toBeCloseTo(
      perToken(({ share }) => share),
      12,
    );
    expect(metrics.brier.value).toBeCloseTo(
      perToken(({ share, truth }) => (share - truth) ** 2),
      12,
    );
    expect(metrics.fullEce.value).toBeCloseTo(binnedGaps(all), 12);
    expect(metrics.ece.value).toBeCloseTo(binnedGaps(tops), 12);
    expect(bins.map((bin) => bin.count)).toEqual(
      bins.map((_, i) => all.filter(({ share }) => Math.floor(share * 10) === i).length),
    );
    expect(bins.reduce((sum, bin) => sum + bin.count * bin.accuracy, 0)).toBeCloseTo(50, 9);
  });

  test("of a calibrated source sum to 1, and its errors' intervals reach down to 0", async () => {
    const { metrics } = await measureAnswers(answers(4000, 6, { slope: 1, shift: 0, seed: 2 }));
    expect(metrics.sum.value).toBeCloseTo(1, 12);
    for (const name of ["ece", "fullEce"] as const) expect(metrics[name].lower, name).toBeLessThan(0.005); // one in twenty misses
  });
});

test("Platt scaling finds log-odds that are twice too large and shifted, and repairs sum and loss", async () => {
  const wrong = { slope: 2, shift: 2 };
  const fitted = fitAnswers("platt", await collectAnswers(answers(40_000, 6, { ...wrong, seed: 3 })));
  expect(fitted).toMatchObject({ slope: expect.closeTo(0.5, 2), intercept: expect.closeTo(-1, 1) });
  const judged = answers(4000, 6, { ...wrong, seed: 4 });
  const [before, after] = [await measureAnswers(judged), await measureAnswers(judged, answerRepair(fitted))];
  const truth = await measureAnswers(answers(4000, 6, { slope: 1, shift: 0, seed: 4 }));
  expect(before.metrics.sum.lower).toBeGreaterThan(1.1);
  expect(after.metrics.sum.value).toBeCloseTo(1, 1);
  expect(after.metrics.nll.value).toBeLessThan(before.metrics.nll.value - 0.1);
  expect(Math.abs(after.metrics.nll.value - truth.metrics.nll.value)).toBeLessThan(0.005);
});

test.each(topLabelKinds)(
  "%s makes no answer impossible or certain, with 0, 1 and many tokens, and helps where answers are wrong",
  async (kind) => {
    for (const count of [0, 1, 3]) {
      const repair = answerRepair(
        fitAnswers(kind, await collectAnswers(answers(count, 4, { slope: 2, shift: 1, seed: 5 }))),
      );
      for (const logTop of [Number.NEGATIVE_INFINITY, -50, -1, -1e-20, 0]) {
        const p = repair({ logTop, logRest: Math.log(-Math.expm1(logTop)) });
        expect(p).toBeGreaterThan(0);
        expect(p).toBeLessThan(1);
      }
    }
    const wrong = { slope: 2, shift: 1 };
    const repair = answerRepair(fitAnswers(kind, await collectAnswers(answers(4000, 6, { ...wrong, seed: 6 }))));
    const judged = answers(2000, 6, { ...wrong, seed: 7 });
    const [before, after] = [await measureAnswers(judged), await measureAnswers(judged, repair)];
    expect(after.metrics.nll.value).toBeLessThan(before.metrics.nll.value);
    expect(after.metrics.fullEce.value).toBeLessThan(0.3 * before.metrics.fullEce.value);
  },
);

test("of many answers, tokens spread evenly are taken, each with all its classes", async () => {
  const V = 2 ** 18;
  const rows = new Float64Array(5 * V).fill(Math.log(1 / V));
  const { correct, logTop } = await collectAnswers(inMemory(V, rows, Int32Array.of(0, 1, 2, 3, 4)));
  expect(logTop).toHaveLength(4 * V);
  expect(correct.reduce((sum, one) => sum + one, 0)).toBe(4);
});
