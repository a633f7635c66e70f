// Sources whose truth is known: metrics come to their exact values, a wrong temperature is found, calibration is recognised.
import { describe, expect, test } from "vitest";
import { createRandomStream, type RandomStream, randomKey } from "../engine/random.ts";
import { type MetricName, measure, metricNames } from "./measure.ts";
import { inMemory, type Predictions } from "./predictions.ts";
import { rowRepair } from "./repairs/table.ts";
import { fitTemperature } from "./repairs/temperature.ts";

const draw = (random: RandomStream, probabilities: readonly number[]): number => {
  let rest = random.uniform();
  for (const [v, p] of probabilities.entries()) {
    if (rest < p) return v;
    rest -= p;
  }
  return probabilities.length - 1;
};

const softmax = (scores: readonly number[]): number[] => {
  const powers = scores.map(Math.exp);
  const total = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / total);
};

/** `count` rows of V normal logits; targets follow them, what is predicted is `scale` times as sharp. */
function drawnLogits(count: number, V: number, scale: number, seed: number): Predictions {
  const random = createRandomStream(randomKey(seed, "logits"));
  const [logProbs, targets] = [new Float64Array(count * V), new Int32Array(count)];
  for (let n = 0; n < count; n++) {
    const logits = Array.from({ length: V }, () => 1.5 * random.normal());
    targets[n] = draw(random, softmax(logits));
    for (const [v, p] of softmax(logits.map((z) => z * scale)).entries()) logProbs[n * V + v] = Math.log(p);
  }
  return inMemory(V, logProbs, targets);
}

describe("three equally frequent predictions with known truths", () => {
  const predicted = [
    [0.62, 0.3, 0.08],
    [0.1, 0.85, 0.05],
    [0.02, 0.02, 0.96],
  ];
  const truths = [
    [0.5, 0.35, 0.15],
    [0.2, 0.7, 0.1],
    [0.1, 0.05, 0.85],
  ];
  const count = 90_000;
  const random = createRandomStream(randomKey(1, "patterns"));
  const patterns = Array.from({ length: count }, () => random.below(3));
  const source = inMemory(
    3,
    Float64Array.from(patterns.flatMap((k) => predicted[k]!.map(Math.log))),
    Int32Array.from(patterns, (k) => draw(random, truths[k]!)),
  );
  const mean = (of: (p: readonly number[], q: readonly number[]) => number): number =>
    predicted.reduce((sum, p, k) => sum + of(p, truths[k]!) / 3, 0);
  const sum = (p: readonly number[], of: (p: number, v: number) => number): number =>
    p.reduce((total, value, v) => total + of(value, v), 0);
  const topOf = (p: readonly number[]): number => p.indexOf(Math.max(...p));
  /** All three are over-confident, and lie in bins of their own: every top-label error is the same mean. */
  const overConfidence = mean((p, q) => p[topOf(p)]! - q[topOf(p)]!);
  /** Σ |Σ gap| over cells of equal name; a gap is a third of `q − p`. */
  const cells = (name: (p: number, v: number) => string): number => {
    const gaps = new Map<string, number>();
    for (const [k, p] of predicted.entries())
      for (const [v, value] of p.entries()) {
        const cell = name(value, v);
        gaps.set(cell, (gaps.get(cell) ?? 0) + (truths[k]![v]! - value) / 3);
      }
    return Array.from(gaps.values(), Math.abs).reduce((a, b) => a + b, 0);
  };
  const binOf = (p: number): number => Math.floor(p * 15);
  const exact: Record<MetricName, number> = {
    nll: mean((p, q) => sum(p, (value, v) => -q[v]! * Math.log(value))),
    sharpness: mean((p) => sum(p, (value) => -value * Math.log(value))),
    brier: mean((p, q) => sum(p, (value, v) => q[v]! * (1 - value) ** 2 + (1 - q[v]!) * value ** 2)),
    accuracy: mean((p, q) => q[topOf(p)]!),
    confidence: mean((p) => p[topOf(p)]!),
    ece: overConfidence,
    eceMass: overConfidence,
    mce: Math.max(...predicted.map((p, k) => p[topOf(p)]! - truths[k]![topOf(p)]!)),
    ks: overConfidence,
    adaptive: mean((p, q) => sum(p, (value, v) => Math.abs(value - q[v]!))) / 3,
    classWise: cells((p, v) => `${v} ${binOf(p)}`) / 3,
    fullEce: cells((p) => `${binOf(p)}`),
  };

  const measured = measure(source);
  test.each(metricNames)("%s comes to its exact value, and its interval holds it", async (name) => {
    const { value, lower, upper } = (await measured).metrics[name];
    // Standard errors of 90,000 draws are below 0.005 for every metric.
    expect(Math.abs(value - exact[name])).toBeLessThan(0.01);
    // One interval in twenty misses, by a little.
    expect(exact[name]).toBeGreaterThan(lower - 5e-4);
    expect(exact[name]).toBeLessThan(upper + 5e-4);
  });
});

describe("temperature scaling", () => {
  test.each([0.5, 1, 2])("finds a temperature of %d to within a hundredth", async (temperature) => {
    const source = drawnLogits(100_000, 8, temperature, 2);
    const repair = await fitTemperature(source);
    expect(Math.abs(repair.temperature / temperature - 1)).toBeLessThan(0.01);
    const { metrics } = await measure(drawnLogits(5_000, 8, temperature, 3), rowRepair(repair));
    expect(metrics.ece.lower).toBeLessThan(0.001); // one interval in twenty misses
  });

  test("ends at its bounds where there is no best temperature", async () => {
    const right = inMemory(2, Float64Array.of(-0.1, Math.log1p(-Math.exp(-0.1))), Int32Array.of(0));
    expect((await fitTemperature(right)).temperature).toBeLessThan(0.1); // from there on the loss is 0 in float64
    const wrong = inMemory(2, Float64Array.of(-0.1, Math.log1p(-Math.exp(-0.1))), Int32Array.of(1));
    expect((await fitTemperature(wrong)).temperature).toBeCloseTo(100, 0);
  });
});

test("a calibrated source's errors have intervals that reach down to 0, an over-confident one's do not", async () => {
  const calibrated = (await measure(drawnLogits(4000, 6, 1, 4))).metrics;
  for (const name of ["ece", "eceMass", "fullEce", "ks"] as const)
    expect(calibrated[name].lower, name).toBeLessThan(0.003); // one interval in twenty misses
  const sharp = (await measure(drawnLogits(4000, 6, 2, 4))).metrics;
  for (const name of ["ece", "eceMass", "fullEce", "ks"] as const) expect(sharp[name].lower, name).toBeGreaterThan(0.1);
});

test("of 60 calibrated sources, intervals miss the truth about as often as they say: one in twenty", async () => {
  const { sharpness } = (await measure(drawnLogits(20_000, 3, 1, 99), undefined, { draws: 0 })).metrics;
  const missed = { nll: 0, ece: 0, eceMass: 0, fullEce: 0, ks: 0 };
  for (let seed = 0; seed < 60; seed++) {
    const { metrics } = await measure(drawnLogits(400, 3, 1, 100 + seed), undefined, { draws: 100 });
    if (sharpness.value < metrics.nll.lower || sharpness.value > metrics.nll.upper) missed.nll++;
    for (const name of ["ece", "eceMass", "fullEce", "ks"] as const) if (metrics[name].lower > 0) missed[name]++; // the truth is 0
  }
  // 3 expected of each; above 8 has probability 0.3 % where one in twenty misses.
  for (const [name, count] of Object.entries(missed)) expect(count, name).toBeLessThanOrEqual(8);
  expect(missed.ece).toBeGreaterThan(0); // intervals that never miss would be wider than they say
});
