/** @file Elementwise functions, rows, tables and the optimiser of the C++ kernels against float64 references. */
import { expect, test } from "vitest";
import { geluReference, geluSlopeReference } from "../../../test/support/float64.ts";
import {
  dirty,
  expectClose,
  integers,
  odd,
  onEveryInstructionSet,
  randoms,
  softmaxReference,
  sumTolerance,
} from "../../../test/support/kernels.ts";
import { threefry } from "../random.ts";

onEveryInstructionSet((addon) => {
  test("exp, log, tanh and the logistic function are right to 3 ulp, at the edges too", () => {
    const edges = [0, -0, 1, -1, 1e4, -1e4, 88.7, 88.8, -87.3, -87.4, -103, -104, 0.625, -0.625, 1e-30, -1e-30, 1e-40];
    const special = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN];
    const x = Float32Array.from([...edges, ...special, ...randoms(500, "x", 100), ...randoms(500, "y", 1)]);
    const functions = [Math.exp, Math.log, Math.tanh, (v: number) => 1 / (1 + Math.exp(-v))];
    for (const [operation, f] of functions.entries()) {
      const y = dirty(x.length);
      addon.unary(operation, x, y, x.length);
      for (const [i, v] of x.entries())
        if (!withinUlps(y[i]!, f(v), 3))
          throw new Error(`operation ${operation} of ${v}: expected ${f(v)}, got ${y[i]}`);
    }
  });

  test("elementwise functions equal Math's", () => {
    const x = Float32Array.from([0, 1, -1, 4, 1e-20, Number.NaN, 9e9, ...randoms(60, "x", 3)]);
    const functions: [number, (v: number) => number][] = [
      [4, (v) => v * v],
      [5, Math.sqrt],
      [6, (v) => 1 / Math.sqrt(v)],
      [7, (v) => -v],
      [8, (v) => Math.max(v, 0)],
      [9, (v) => 1 / v],
    ];
    for (const [operation, f] of functions) {
      const y = dirty(x.length);
      addon.unary(operation, x, y, x.length);
      expectClose(y, Float32Array.from(x, f), 1e-6, 0);
    }
  });

  test("softmax and log-softmax survive logits of ±1e4 and rows of one", () => {
    for (const columns of odd) {
      const x = Float32Array.from([...randoms(3 * columns, "x", 5), ...randoms(columns, "z", 1e4)]);
      const [y, z] = [dirty(x.length), dirty(x.length)];
      addon.softmax(x, y, 4, columns, false);
      addon.softmax(x, z, 4, columns, true);
      for (let i = 0; i < 4; i++) {
        const row = x.subarray(i * columns, (i + 1) * columns);
        const { weights, logSumExp } = softmaxReference(row);
        expectClose(y.subarray(i * columns, (i + 1) * columns), weights, 2e-6);
        expectClose(
          z.subarray(i * columns, (i + 1) * columns),
          Float64Array.from(row, (v) => v - logSumExp),
          2e-6,
        );
      }
    }
  });

  test("sums, means and maxima of rows and columns equal the reference", () => {
    for (const rows of [1, 2, 17, 300])
      for (const columns of [...odd, 20_000 / rows].map(Math.round)) {
        const x = randoms(rows * columns, "x");
        const at = (i: number, j: number) => x[i * columns + j]!;
        for (const operation of [0, 1, 2]) {
          const reduce = (values: number[]) =>
            operation === 2 ? Math.max(...values) : values.reduce((a, b) => a + b, 0) / (operation ? values.length : 1);
          const [byRow, byColumn] = [dirty(rows), dirty(columns)];
          addon.reduceRows(operation, x, byRow, rows, columns);
          addon.reduceColumns(operation, x, byColumn, rows, columns);
          const row = (i: number) => Array.from({ length: columns }, (_, j) => at(i, j));
          const column = (j: number) => Array.from({ length: rows }, (_, i) => at(i, j));
          expectClose(
            byRow,
            Float64Array.from(byRow, (_, i) => reduce(row(i))),
            sumTolerance(columns),
          );
          expectClose(
            byColumn,
            Float64Array.from(byColumn, (_, j) => reduce(column(j))),
            sumTolerance(rows),
          );
        }
      }
  });

  test("layer norm and its gradient equal the reference", () => {
    for (const N of [1, 3, 70])
      for (const E of odd) {
        const [x, gain, bias, dy] = [randoms(N * E, "x", 3), randoms(E, "g"), randoms(E, "b"), randoms(N * E, "dy")];
        const [y, dx, dgain, dbias] = [dirty(N * E), dirty(N * E), dirty(E), dirty(E)];
        addon.layerNorm(x, gain, bias, y, N, E, 1e-5);
        addon.layerNormGrad(dy, x, gain, dx, dgain, dbias, N, E, 1e-5);
        const expected = layerNormReference(x, gain, bias, dy, N, E, 1e-5);
        expectClose(y, expected.y, 1e-5);
        // One over the deviation magnifies rounding where a row hardly varies.
        expectClose(dx, expected.dx, 5e-5);
        expectClose(dgain, expected.dgain, 1e-5);
        expectClose(dbias, expected.dbias, 1e-5);
      }
  });

  test("GELU and its slope equal the reference, at ±1e4 too", () => {
    const x = Float32Array.from([0, 1e4, -1e4, 12, -12, Number.NaN, ...randoms(300, "x", 8)]);
    const dy = randoms(x.length, "dy");
    const [y, dx] = [dirty(x.length), dirty(x.length)];
    addon.gelu(x, y, x.length);
    addon.geluGrad(dy, x, dx, x.length);
    expectClose(y, Float64Array.from(x, geluReference), 2e-6);
    expectClose(
      dx,
      Float64Array.from(x, (v, i) => dy[i]! * geluSlopeReference(v)),
      2e-6,
    );
  });

  test("gather and scatter-add are each other's transpose", () => {
    for (const [V, E, N] of [
      [1, 1, 5],
      [17, 3, 0],
      [65, 33, 257],
      [3000, 40, 100],
    ] as const) {
      const [table, ids, dy] = [randoms(V * E, "t"), integers(N, V, "i"), randoms(N * E, "dy")];
      const [y, dTable, expected] = [dirty(N * E), dirty(V * E), new Float64Array(V * E)];
      addon.gather(table, ids, y, N, E);
      addon.scatterAdd(dy, ids, dTable, N, V, E, true);
      for (const [i, id] of ids.entries())
        for (let j = 0; j < E; j++) {
          expect(y[i * E + j]).toBe(table[id * E + j]);
          expected[id * E + j]! += dy[i * E + j]!;
        }
      expectClose(dTable, expected);
      addon.scatterAdd(dy, ids, dTable, N, V, E, false);
      expectClose(
        dTable,
        expected.map((x) => 2 * x),
      );
    }
  });

  test("dropout draws the mask that random.ts defines", () => {
    const key = [0x9e3779b9, 12345] as const;
    for (const n of [0, 1, 3, 65, 40_001])
      for (const rate of [0, 0.1, 0.5]) {
        const [x, y] = [randoms(n, "x"), dirty(n)];
        addon.dropout(x, y, n, rate, key[0], key[1]);
        const word = (i: number) => threefry(key, i >> 1, 0)[i & 1]!;
        const kept = (i: number) => word(i) >= Math.floor(rate * 2 ** 32);
        expectClose(
          y,
          x.map((v, i) => (kept(i) ? v / (1 - rate) : 0)),
          1e-6,
        );
      }
  });

  test("AdamW follows its formula, clips by the global norm and refuses what is not finite", () => {
    for (const clipNorm of [0, 0.5]) {
      const sizes = [1, 65, 20_000];
      const make = (name: string) => sizes.map((n) => randoms(n, name + n));
      const [p, g, m, v] = [make("p"), make("g"), make("m"), make("v").map((x) => x.map(Math.abs))];
      const before = [p, m, v].map((list) => list.map((x) => Float64Array.from(x)));
      const decay = Float64Array.from([0, 0.1, 0.1]);
      const run = () =>
        addon.adamW([...p, ...g, ...m, ...v], Float64Array.from(sizes), decay, 3, 0.01, 0.9, 0.99, 1e-8, clipNorm);
      const norm = run();
      expect(norm).toBeCloseTo(Math.sqrt(g.reduce((s, x) => s + x.reduce((t, y) => t + y * y, 0), 0)), 3);
      const shrink = clipNorm ? Math.min(1, clipNorm / (norm + 1e-6)) : 1;
      for (const [i, n] of sizes.entries())
        for (let j = 0; j < n; j++) {
          const slope = g[i]![j]! * shrink;
          const first = 0.9 * before[1]![i]![j]! + 0.1 * slope;
          const second = 0.99 * before[2]![i]![j]! + 0.01 * slope ** 2;
          const old = before[0]![i]![j]!;
          const step = first / (1 - 0.9 ** 3) / (Math.sqrt(second / (1 - 0.99 ** 3)) + 1e-8);
          expect(Math.abs(p[i]![j]! - (old - 0.01 * (step + decay[i]! * old)))).toBeLessThan(1e-6);
          expect(Math.abs(m[i]![j]! - first)).toBeLessThan(1e-6);
          expect(Math.abs(v[i]![j]! - second)).toBeLessThan(1e-6);
        }
      g[1]![3] = Number.NaN;
      const kept = p.map((x) => x.slice());
      expect(run()).toBeNaN();
      expect(p).toEqual(kept);
    }
  });
});

/** An ulp of the result; below the normal numbers, the smallest of those (1 / (1 + e^100) may be 0). */
function withinUlps(got: number, exact: number, ulps: number): boolean {
  const expected = Math.fround(exact);
  if (Object.is(got, expected) || got === expected) return true;
  if (Math.abs(expected) < 2 ** -126) return Math.abs(got) <= 2 ** -126;
  return Math.abs(got - expected) <= ulps * Math.abs(expected) * 2 ** -23;
}

function layerNormReference(
  x: Float32Array,
  gain: Float32Array,
  bias: Float32Array,
  dy: Float32Array,
  N: number,
  E: number,
  epsilon: number,
) {
  const [y, dx, dgain, dbias] = [N * E, N * E, E, E].map((n) => new Float64Array(n)) as Float64Array[] & { length: 4 };
  for (let i = 0; i < N; i++) {
    const row = Array.from(x.subarray(i * E, (i + 1) * E));
    const mean = row.reduce((a, b) => a + b, 0) / E;
    const inverse = 1 / Math.sqrt(row.reduce((a, b) => a + (b - mean) ** 2, 0) / E + epsilon);
    const z = row.map((v) => (v - mean) * inverse);
    const g = z.map((_, j) => dy[i * E + j]! * gain[j]!);
    const meanG = g.reduce((a, b) => a + b, 0) / E;
    const meanGz = g.reduce((a, b, j) => a + b * z[j]!, 0) / E;
    for (let j = 0; j < E; j++) {
      y![i * E + j] = z[j]! * gain[j]! + bias[j]!;
      dx![i * E + j] = inverse * (g[j]! - meanG - z[j]! * meanGz);
      dgain![j]! += dy[i * E + j]! * z[j]!;
      dbias![j]! += dy[i * E + j]!;
    }
  }
  return { y: y!, dx: dx!, dgain: dgain!, dbias: dbias! };
}
