// Metrics and repairs beside scikit-learn, netcal and SciPy (calibration.fixture.py made the fixture).
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { logGamma } from "./logGamma.ts";
import { type MetricName, measure, metricNames } from "./measure.ts";
import { inMemory } from "./predictions.ts";
import { bbqConfidence, fitBbq } from "./repairs/bbq.ts";
import { fitBeta } from "./repairs/beta.ts";
import { fitHistogram, histogramConfidence } from "./repairs/histogram.ts";
import { fitIsotonic, isotonicConfidence } from "./repairs/isotonic.ts";
import { fitMatrix } from "./repairs/matrix.ts";
import { fitPlatt } from "./repairs/platt.ts";
import { fitTemperature } from "./repairs/temperature.ts";
import { collectTopLabels } from "./repairs/topLabels.ts";
import { fitVector } from "./repairs/vector.ts";

const fixture = JSON.parse(readFileSync(new URL("./calibration.fixture.json", import.meta.url), "utf8"));
const { classes, grid, bins } = fixture as { classes: number; grid: number[]; bins: number };
const predictions = inMemory(classes, Float64Array.from(fixture.logProbs), Int32Array.from(fixture.targets));
const labels = await collectTopLabels(predictions);

const expectClose = (got: readonly number[], wanted: readonly number[], digits: number): void => {
  expect(got).toHaveLength(wanted.length);
  for (const [i, value] of got.entries()) expect(value, `number ${i}`).toBeCloseTo(wanted[i]!, digits);
};

describe("metrics", async () => {
  const measured = await measure(predictions, undefined, { bins });
  test.each(metricNames)("%s", (name: MetricName) => {
    expect(measured.metrics[name].value).toBeCloseTo(fixture.metrics[name], 10);
  });

  test("every prediction is in one bin", () => {
    expect(measured.bins.reduce((sum, { count }) => sum + count, 0)).toBe(300);
  });
});

describe("repairs of the whole distribution", () => {
  test("temperature", async () => {
    expect((await fitTemperature(predictions)).temperature).toBeCloseTo(fixture.temperature, 6);
  });

  test("vector", async () => {
    const { factors, shifts } = await fitVector(predictions, {
      strengths: { factors: 1, shifts: 1 },
      evaluations: 400,
      tolerance: 1e-13,
    });
    expectClose([...factors, ...shifts], [...fixture.vector.factors, ...fixture.vector.shifts], 4);
  });

  test("matrix", async () => {
    const { rows, shifts } = await fitMatrix(predictions, { evaluations: 800, tolerance: 1e-13 });
    expectClose([...rows.flat(), ...shifts], [...fixture.matrix.rows.flat(), ...fixture.matrix.shifts], 4);
  });
});

describe("repairs of the top label", () => {
  test("Platt", () => {
    const { slope, intercept } = fitPlatt(labels);
    // scikit-learn's own search ends at a gradient of 1e-6.
    expectClose([slope, intercept], [fixture.platt.slope, fixture.platt.intercept], 4);
  });

  test("beta", () => {
    const { a, b, m } = fitBeta(labels);
    expectClose([a, b, m], [fixture.beta.a, fixture.beta.b, fixture.beta.m], 4);
  });

  test("histogram", () => {
    const repair = fitHistogram(labels, bins, "width");
    const offEdge = grid.map((_, i) => i).filter((i) => grid[i]! * bins !== Math.round(grid[i]! * bins)); // there netcal counts down, we up
    expect(offEdge.length).toBeGreaterThan(35);
    expectClose(
      offEdge.map((i) => histogramConfidence(repair, grid[i]!)),
      offEdge.map((i) => fixture.histogram[i]),
      12,
    );
  });

  test("isotonic", () => {
    const repair = fitIsotonic(labels);
    expectClose(
      grid.map((c) => isotonicConfidence(repair, c)),
      fixture.isotonic,
      10,
    );
  });

  test("BBQ", () => {
    const repair = fitBbq(labels);
    expectClose(
      grid.map(bbqConfidence(repair)),
      fixture.bbq,
      5, // binnings of weight below 1e-6 are left out
    );
  });
});

test("log Γ at halves and wholes", () => {
  for (const n of [1, 2, 3, 10, 30]) {
    let factorial = 0;
    for (let k = 2; k < n; k++) factorial += Math.log(k);
    expect(logGamma(n)).toBeCloseTo(factorial, 10);
  }
  expect(logGamma(0.5)).toBeCloseTo(Math.log(Math.PI) / 2, 12);
  expect(logGamma(1e-5)).toBeCloseTo(Math.log(1e5 - 0.5772156649), 9);
});
