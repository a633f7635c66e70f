/** @file Every C++ kernel against a float64 reference, on every instruction set of this CPU and in WebAssembly. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createRandomStream, randomKey, threefry } from "../random.ts";
import { loadWasm } from "../wasm/addon.ts";
import { type Addon, loadAddon } from "./addon.ts";

const variants = [loadAddon(), loadWasm().addon].flatMap((engine) =>
  engine.instructionSets().map((instructions) => ({ engine, instructions })),
);
/** The engine under test. */
let addon: Addon;

function randoms(n: number, name: string, scale = 1): Float32Array {
  const random = createRandomStream(randomKey(11, name));
  return Float32Array.from({ length: n }, () => (random.uniform() * 2 - 1) * scale);
}
function integers(n: number, limit: number, name: string): Int32Array {
  const random = createRandomStream(randomKey(12, name));
  return Int32Array.from({ length: n }, () => random.below(limit));
}
const dirty = (n: number) => new Float32Array(n).fill(Number.NaN);

/** Largest difference, relative to `scale`. Where the reference is not finite, both must agree exactly. */
function expectClose(got: ArrayLike<number>, expected: ArrayLike<number>, tolerance = 1e-5, scale = 1): void {
  expect(got.length).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) {
    const [x, y] = [got[i]!, expected[i]!];
    const fits =
      Object.is(x, y) ||
      (!Number.isFinite(y) && x === y) ||
      Math.abs(x - y) <= tolerance * Math.max(scale, Math.abs(y));
    if (!fits) throw new Error(`element ${i} of ${expected.length}: expected ${y}, got ${x}`);
  }
}

/** An ulp of the result; below the normal numbers, the smallest of those (1 / (1 + e^100) may be 0). */
function withinUlps(got: number, exact: number, ulps: number): boolean {
  const expected = Math.fround(exact);
  if (Object.is(got, expected) || got === expected) return true;
  if (Math.abs(expected) < 2 ** -126) return Math.abs(got) <= 2 ** -126;
  return Math.abs(got - expected) <= ulps * Math.abs(expected) * 2 ** -23;
}

/** Float32 sums of n products of numbers up to 1 err by at most about n · 2^-24 each; random signs make it √n. */
const geluInner = (v: number) => Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3);
const geluReference = (v: number) => 0.5 * v * (1 + Math.tanh(geluInner(v)));
function geluSlopeReference(v: number): number {
  const t = Math.tanh(geluInner(v));
  return 0.5 * (1 + t) + 0.5 * v * (1 - t * t) * Math.sqrt(2 / Math.PI) * (1 + 3 * 0.044715 * v * v);
}

const sumTolerance = (n: number) => 1e-6 * (2 + Math.sqrt(n));

function matmulReference(a: Float32Array, b: Float32Array, m: number, n: number, k: number, ta: boolean, tb: boolean) {
  const c = new Float64Array(m * n);
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let p = 0; p < k; p++) sum += a[ta ? p * m + i : i * k + p]! * b[tb ? j * k + p : p * n + j]!;
      c[i * n + j] = sum;
    }
  return c;
}

function softmaxReference(row: ArrayLike<number>): { weights: Float64Array; logSumExp: number } {
  const top = Math.max(...Array.from(row));
  const powers = Float64Array.from(row, (x) => Math.exp(x - top));
  const sum = powers.reduce((a, b) => a + b, 0);
  return { weights: powers.map((p) => p / sum), logSumExp: top + Math.log(sum) };
}

/** The nearest bfloat16, ties to even. */
function roundToBfloat16(x: Float32Array): Float32Array {
  const bits = new Uint32Array(x.slice().buffer);
  for (const [i, word] of bits.entries()) bits[i] = (word + 0x7fff + ((word >> 16) & 1)) & 0xffff0000;
  return new Float32Array(bits.buffer);
}

/** Runs `body` with products that round their inputs. */
function rounding(body: () => void): void {
  addon.setRounding(true);
  try {
    body();
  } finally {
    addon.setRounding(false);
  }
}

const odd = [1, 3, 17, 65, 257];
const transposes = [
  [false, false],
  [false, true],
  [true, false],
  [true, true],
] as const;

describe.each(variants)("with $instructions instructions", ({ engine, instructions }) => {
  const best = engine.instructionSet();
  const threads = engine.threads();
  beforeAll(() => {
    addon = engine;
    addon.setInstructionSet(instructions);
  });
  afterAll(() => addon.setInstructionSet(best));

  test("matmul equals the reference for all transposes at odd sizes", () => {
    for (const m of [1, 2, 4, 5, 17, 65])
      for (const n of odd)
        for (const k of odd)
          for (const [ta, tb] of transposes) {
            const [a, b, c] = [randoms(m * k, "a"), randoms(k * n, "b"), dirty(m * n)];
            addon.matmul(a, b, c, m, n, k, ta, tb, null, 0, 1, 0, 0);
            expectClose(c, matmulReference(a, b, m, n, k, ta, tb), sumTolerance(k));
          }
  });

  test("matmul equals the reference across its blocks", () => {
    for (const [m, n, k] of [
      [300, 33, 3000],
      [70, 2100, 400],
      [257, 129, 512],
      [3, 5000, 40],
    ] as const)
      for (const [ta, tb] of [
        [false, true],
        [true, false],
      ] as const) {
        const [a, b, c] = [randoms(m * k, "a"), randoms(k * n, "b"), dirty(m * n)];
        addon.matmul(a, b, c, m, n, k, ta, tb, null, 0, 1, 0, 0);
        expectClose(c, matmulReference(a, b, m, n, k, ta, tb), sumTolerance(k));
      }
  });

  test("at bfloat16, matmul equals the reference on rounded inputs", () => {
    const shapes = [1, 4, 5, 17, 65].flatMap((m) => odd.flatMap((n) => odd.map((k) => [m, n, k] as const)));
    rounding(() => {
      for (const [m, n, k] of [...shapes, [70, 2100, 33], [257, 129, 801], [40, 33, 5000]] as const)
        for (const [ta, tb] of transposes) {
          const [a, b, c] = [randoms(m * k, "a"), randoms(k * n, "b"), dirty(m * n)];
          addon.matmul(a, b, c, m, n, k, ta, tb, null, 0, 1, 0, 0);
          const expected = matmulReference(roundToBfloat16(a), roundToBfloat16(b), m, n, k, ta, tb);
          expectClose(c, expected, 2 * sumTolerance(k)); // instructions may round the sum of a pair once more
        }
    });
  });

  test("linear maps with GELU or a residual, and their gradients, equal the reference", () => {
    for (const [rows, inputs, outputs] of [
      [1, 1, 1],
      [3, 17, 65],
      [65, 33, 17],
      [200, 65, 257],
    ] as const)
      for (const rounded of [false, true]) checkLinear(rows, inputs, outputs, rounded);
  });

  test("matmul adds the bias and applies the activation", () => {
    const activations = [
      (x: number) => x,
      (x: number) => Math.max(0, x),
      (x: number) => Math.min(6, Math.max(0, x)),
      (x: number) => (x >= 0 ? x : Math.exp(x) - 1),
      (x: number) => 1 / (1 + Math.exp(-x)),
    ];
    for (const m of [1, 6, 33])
      for (const tb of [false, true])
        for (const [activation, f] of activations.entries()) {
          const [n, k] = [37, 19];
          const [a, b, bias, c] = [randoms(m * k, "a", 2), randoms(k * n, "b", 2), randoms(n, "bias"), dirty(m * n)];
          addon.matmul(a, b, c, m, n, k, false, tb, bias, activation, 1, 0, 0);
          const expected = matmulReference(a, b, m, n, k, false, tb).map((x, i) => f(x + bias[i % n]!));
          expectClose(c, expected, 1e-5);
        }
  });

  test("batches multiply one by one, with either side repeated", () => {
    for (const batch of [1, 2, 3, 9, 40])
      for (const [strideA, strideB] of [
        [5 * 7, 7 * 9],
        [0, 7 * 9],
        [5 * 7, 0],
      ] as const) {
        const [a, b, c] = [randoms(batch * 35, "a"), randoms(batch * 63, "b"), dirty(batch * 45)];
        addon.matmul(a, b, c, 5, 9, 7, false, false, null, 0, batch, strideA, strideB);
        for (let i = 0; i < batch; i++) {
          const [left, right] = [a.subarray(i * strideA), b.subarray(i * strideB)];
          expectClose(c.subarray(i * 45, i * 45 + 45), matmulReference(left, right, 5, 9, 7, false, false));
        }
      }
  });

  test("a product over no terms is the bias", () => {
    const c = dirty(6);
    addon.matmul(new Float32Array(0), new Float32Array(0), c, 2, 3, 0, false, false, null, 0, 1, 0, 0);
    expect([...c]).toEqual([0, 0, 0, 0, 0, 0]);
  });

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

  test("causal attention and its gradient equal the reference", () => {
    for (const [B, T, heads, D, scale] of [
      [1, 1, 1, 1, 1],
      [2, 3, 2, 5, 1],
      [2, 65, 1, 32, 1],
      [1, 200, 3, 17, 2],
      [1, 150, 1, 64, 100],
    ] as const)
      checkAttention(B, T, heads, D, scale);
  });

  test("at bfloat16, causal attention and its gradient equal the reference", () => {
    // Every product rounds both sides by 2^-9 at most; three stand in a row, and errors add like random numbers.
    rounding(() => {
      for (const [B, T, heads, D] of [
        [1, 1, 1, 1],
        [2, 3, 2, 5],
        [1, 200, 3, 17],
        [2, 150, 1, 64],
      ] as const)
        checkAttention(B, T, heads, D, 1, 2e-2);
    });
  });

  test("the linear log-sum-exp and its gradient equal the reference", () => {
    for (const [N, E, V, scale] of [
      [1, 1, 1, 1],
      [3, 17, 65, 1],
      [17, 65, 257, 1],
      [130, 33, 1100, 1],
      [5, 8, 70, 100],
    ] as const)
      for (const withBias of [false, true]) checkVocabulary(N, E, V, { scale, withBias });
  });

  test("the forms of the linear log-sum-exp, their mean and their gradients equal the reference", () => {
    for (const [N, E, V] of [
      [1, 1, 1],
      [17, 13, 257],
      [300, 16, 1100],
    ] as const)
      for (const form of [0, 1, 2])
        for (const softcap of [0, 3])
          checkVocabulary(N, E, V, { form, softcap, withBias: softcap > 0, withMean: form < 2 });
  });

  test("blocks of tokens, of which the last is not whole, equal the reference", () => {
    checkVocabulary(259, 520, 515, { form: 1, withBias: true, withMean: true, loose: 1e-4 }); // sums of 520 products
  });

  test("at bfloat16, the linear log-sum-exp and its gradient equal the reference", () => {
    rounding(() => {
      // A logit sums E products that err by 2^-8 of their size.
      for (const [N, E, V] of [
        [1, 1, 1],
        [3, 17, 65],
        [17, 65, 257],
        [130, 33, 1100],
        [500, 40, 700],
      ] as const)
        for (const withBias of [false, true])
          checkVocabulary(N, E, V, { withBias, loose: 2 ** -8 * (1 + Math.sqrt(E)) });
    });
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

  test("every result is the same, byte for byte, with 1 and 3 threads", () => {
    for (const rounds of [false, true]) {
      addon.setRounding(rounds);
      const results = [1, 3].map((count) => {
        addon.setThreads(count);
        return everyKernel();
      });
      addon.setRounding(false);
      addon.setThreads(threads);
      for (const [name, value] of results[0]!)
        expect(Buffer.compare(bytesOf(value), bytesOf(results[1]!.get(name)!)), name).toBe(0);
    }
  });
});

const bytesOf = (x: Float32Array) => Buffer.from(x.buffer, x.byteOffset, x.byteLength);

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

function checkLinear(rows: number, inputs: number, outputs: number, rounded: boolean): void {
  const [x, kernel, bias] = [randoms(rows * inputs, "x"), randoms(inputs * outputs, "k"), randoms(outputs, "b")];
  const [dy, residual] = [randoms(rows * outputs, "dy"), randoms(rows * outputs, "r")];
  const [y, z, slope] = [dirty(rows * outputs), dirty(rows * outputs), dirty(rows * outputs)] as const;
  const [dx, dKernel, dBias] = [dirty(x.length), dirty(kernel.length), dirty(outputs)] as const;
  addon.setRounding(rounded);
  addon.linear(x, kernel, bias, residual, null, y, rows, inputs, outputs);
  addon.linear(x, kernel, bias, null, slope, z, rows, inputs, outputs);
  addon.linearGrad(dy, x, kernel, slope, dx, dKernel, dBias, rows, inputs, outputs);
  addon.setRounding(false);
  const shown = (v: Float32Array) => (rounded ? roundToBfloat16(v) : v);
  const plain = matmulReference(shown(x), shown(kernel), rows, outputs, inputs, false, false);
  const sums = plain.map((v, i) => v + bias[i % outputs]!);
  const tolerance = sumTolerance(Math.max(rows, inputs, outputs));
  expectClose(
    y,
    sums.map((v, i) => v + residual[i]!),
    2 * tolerance,
  );
  expectClose(z, sums.map(geluReference), 2 * tolerance);
  expectClose(slope, sums.map(geluSlopeReference), 2 * tolerance);
  const du = dy.map((v, i) => v * slope[i]!);
  expectClose(dx, matmulReference(shown(du), shown(kernel), rows, inputs, outputs, false, true), 2 * tolerance);
  expectClose(dKernel, matmulReference(shown(x), shown(du), inputs, outputs, rows, true, false), 2 * tolerance);
  const columns = new Float64Array(outputs);
  for (const [i, v] of du.entries()) columns[i % outputs]! += v;
  expectClose(dBias, columns, tolerance);
}

function checkAttention(B: number, T: number, heads: number, D: number, scale: number, loose = 0): void {
  const E = heads * D;
  const [qkv, dOut] = [randoms(B * T * 3 * E, "qkv", scale), randoms(B * T * E, "dOut")];
  const [out, lse, dqkv] = [dirty(B * T * E), dirty(B * heads * T), dirty(B * T * 3 * E)];
  addon.attention(qkv, out, lse, B, T, E, heads);
  addon.attentionGrad(dOut, qkv, out, lse, dqkv, B, T, E, heads);
  const expected = attentionReference(qkv, dOut, B, T, E, heads);
  // Scores grow with scale², up to 1e4 at 100, and carry an error of 2^-23 of that, which the exponential hands on.
  expectClose(out, expected.out, loose || 1e-5 * scale, scale);
  expectClose(lse, expected.lse, loose || 1e-5);
  expectClose(dqkv, expected.dqkv, loose || 2e-5 * scale, scale ** 2);
}

function attentionReference(qkv: Float32Array, dOut: Float32Array, B: number, T: number, E: number, heads: number) {
  const D = E / heads;
  const [out, lse] = [new Float64Array(B * T * E), new Float64Array(B * heads * T)];
  const dqkv = new Float64Array(B * T * 3 * E);
  const at = (b: number, t: number, part: number, h: number) => ((b * T + t) * 3 + part) * E + h * D;
  const dot = (x: ArrayLike<number>, i: number, y: ArrayLike<number>, j: number) => {
    let sum = 0;
    for (let d = 0; d < D; d++) sum += x[i + d]! * y[j + d]!;
    return sum;
  };
  const accumulate = (to: Float64Array, i: number, factor: number, x: ArrayLike<number>, j: number) => {
    for (let d = 0; d < D; d++) to[i + d]! += factor * x[j + d]!;
  };
  const query = (b: number, h: number, t: number) => {
    const q = at(b, t, 0, h);
    const o = (b * T + t) * E + h * D;
    const scores = Array.from({ length: t + 1 }, (_, s) => dot(qkv, q, qkv, at(b, s, 1, h)) / Math.sqrt(D));
    const { weights, logSumExp } = softmaxReference(scores);
    lse[(b * heads + h) * T + t] = logSumExp;
    for (const [s, w] of weights.entries()) accumulate(out, o, w, qkv, at(b, s, 2, h));
    const delta = dot(dOut, o, out, o);
    for (const [s, w] of weights.entries()) {
      const [k, v] = [at(b, s, 1, h), at(b, s, 2, h)];
      const dScore = (w * (dot(dOut, o, qkv, v) - delta)) / Math.sqrt(D);
      accumulate(dqkv, q, dScore, qkv, k);
      accumulate(dqkv, k, dScore, qkv, q);
      accumulate(dqkv, v, w, dOut, o);
    }
  };
  for (let i = 0; i < B * heads * T; i++) query(Math.floor(i / (heads * T)), Math.floor(i / T) % heads, i % T);
  return { out, lse, dqkv };
}

interface VocabularyCase {
  readonly scale?: number;
  readonly withBias?: boolean;
  /** Tolerance in place of the usual one. */
  readonly loose?: number;
  /** Of native/kernels.h: 0 plain, 1 sigsoftmax, 2 sigmoid. */
  readonly form?: number;
  readonly softcap?: number;
  readonly withMean?: boolean;
}

function checkVocabulary(N: number, E: number, V: number, options: VocabularyCase): void {
  const { scale = 1, withBias = false, loose = 0, form = 0, softcap = 0, withMean = false } = options;
  const [hidden, weight] = [randoms(N * E, "h", scale), randoms(V * E, "w", scale)];
  const bias = withBias ? randoms(V, "b", scale) : null;
  const targets = integers(N, V, "t");
  const [dTarget, dSum, dMean] = [randoms(N, "dt"), randoms(N, "ds"), withMean ? randoms(N, "dm") : null];
  const [t, s, mean] = [N, N, N].map(dirty) as [Float32Array, Float32Array, Float32Array];
  const [dHidden, dWeight, dBias] = [N * E, V * E, V].map(dirty) as [Float32Array, Float32Array, Float32Array];
  addon.linearLogSumExp(hidden, weight, bias, targets, t, s, withMean ? mean : null, N, E, V, form, softcap);
  const results = [dHidden, dWeight, bias && dBias] as const;
  const inputs = [hidden, weight, bias, targets, s] as const;
  addon.linearLogSumExpGrad(dTarget, dSum, dMean, ...inputs, ...results, N, E, V, form, softcap);
  const gradients = { dTarget, dSum, dMean };
  const expected = vocabularyReference({ hidden, weight, bias, targets, N, E, V, form, softcap }, gradients);
  // Logits of size Z carry an error of Z · 2^-23, which the exponential hands on.
  const tolerance = loose || (scale === 1 ? 1e-5 : 1e-2);
  const check = (): void => {
    expectClose(t, expected.t, loose || 1e-5, scale);
    expectClose(s, expected.s, loose || 1e-5, scale);
    expectClose(dHidden, expected.dHidden, tolerance, scale);
    expectClose(dWeight, expected.dWeight, tolerance, scale);
    if (bias) expectClose(dBias, expected.dBias, tolerance);
  };
  check();
  if (withMean) return expectClose(mean, expected.mean, loose || 1e-5, scale);
  if (form || softcap) return;
  for (const y of [t, s, dHidden, dWeight, dBias]) y.fill(777);
  addon.linearCrossEntropy(dTarget, dSum, hidden, weight, bias, targets, t, s, ...results, N, E, V);
  check();
}

interface VocabularyInputs {
  readonly hidden: Float32Array;
  readonly weight: Float32Array;
  readonly bias: Float32Array | null;
  readonly targets: Int32Array;
  readonly N: number;
  readonly E: number;
  readonly V: number;
  readonly form: number;
  readonly softcap: number;
}

const logistic = (x: number): number => 1 / (1 + Math.exp(-x));
const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

/** What becomes of a score, and its slope. */
function formReference(z: number, form: number, softcap: number): { f: number; slope: number } {
  const y = softcap ? softcap * Math.tanh(z / softcap) : z;
  const slope = softcap ? 1 - Math.tanh(z / softcap) ** 2 : 1;
  if (form !== 1) return { f: y, slope };
  return { f: y - softplus(-y), slope: slope * (1 + logistic(-y)) };
}

function vocabularyReference(
  { hidden, weight, bias, targets, N, E, V, form, softcap }: VocabularyInputs,
  { dTarget, dSum, dMean }: { dTarget: Float32Array; dSum: Float32Array; dMean: Float32Array | null },
) {
  const z = matmulReference(hidden, weight, N, V, E, false, true).map((x, i) => x + (bias?.[i % V] ?? 0));
  const [t, s, mean, dHidden] = [N, N, N, N * E].map((n) => new Float64Array(n)) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const [dWeight, dBias] = [new Float64Array(V * E), new Float64Array(V)];
  for (let n = 0; n < N; n++) {
    const scores = Array.from(z.subarray(n * V, (n + 1) * V), (x) => formReference(x, form, softcap));
    const values = Float64Array.from(scores, ({ f }) => f);
    const { weights, logSumExp } = softmaxReference(values);
    t[n] = values[targets[n]!]!;
    s[n] = form === 2 ? values.reduce((sum, f) => sum + softplus(f), 0) : logSumExp;
    mean[n] = values.reduce((sum, f) => sum + f, 0) / V;
    for (let v = 0; v < V; v++) {
      const share = form === 2 ? logistic(values[v]!) : weights[v]!;
      const outer = dSum[n]! * share + (dMean?.[n] ?? 0) / V + (v === targets[n] ? dTarget[n]! : 0);
      const dz = outer * scores[v]!.slope;
      dBias[v]! += dz;
      for (let e = 0; e < E; e++) {
        dHidden[n * E + e]! += dz * weight[v * E + e]!;
        dWeight[v * E + e]! += dz * hidden[n * E + e]!;
      }
    }
  }
  return { t, s, mean, dHidden, dWeight, dBias };
}

/** One result of every kernel whose work is shared among threads, at sizes that make several tasks. */
function everyKernel(): Map<string, Float32Array> {
  const results = new Map<string, Float32Array>();
  const keep = (name: string, n: number) => {
    const y = dirty(n);
    results.set(name, y);
    return y;
  };
  const x = randoms(300 * 400, "x");
  const w = randoms(400 * 500, "w");
  addon.matmul(x, w, keep("matmul", 300 * 500), 300, 500, 400, false, false, null, 0, 1, 0, 0);
  addon.matmul(x, w, keep("transposed", 300 * 500), 300, 500, 400, true, true, null, 0, 1, 0, 0);
  addon.matmul(x, w, keep("one row", 500), 1, 500, 400, false, false, null, 0, 1, 0, 0);
  addon.matmul(x, w, keep("batches", 20 * 900), 30, 30, 20, false, false, null, 0, 20, 600, 600);
  const [dxLinear, dKernel, dBias] = [keep("linear dx", 300 * 400), keep("dKernel", 400 * 500), keep("dBias", 500)];
  addon.linearGrad(w, x, w, w, dxLinear, dKernel, dBias, 300, 400, 500);
  addon.softmax(x, keep("softmax", x.length), 300, 400, false);
  addon.reduceRows(0, x, keep("sum", 1), 1, x.length);
  addon.reduceColumns(0, x, keep("column sum", 400), 300, 400);
  const [dx, dgain, dbias] = [keep("dx", x.length), keep("dgain", 400), keep("dbias", 400)];
  addon.layerNormGrad(w, x, w, dx, dgain, dbias, 300, 400, 1e-5);
  addon.scatterAdd(x, integers(300, 1000, "i"), keep("scatter", 400_000), 300, 1000, 400, true);
  addon.dropout(x, keep("dropout", x.length), x.length, 0.3, 1, 2);
  const [out, lse, dqkv] = [keep("out", 4 * 100 * 64), keep("lse", 800), keep("dqkv", 4 * 100 * 192)];
  addon.attention(x, out, lse, 4, 100, 64, 2);
  addon.attentionGrad(w, x, out, lse, dqkv, 4, 100, 64, 2);
  const targets = integers(150, 2000, "t");
  const [t, s, dHidden, dWeight] = [keep("t", 150), keep("s", 150), keep("dh", 150 * 64), keep("dw", 2000 * 64)];
  addon.linearLogSumExp(x, w, null, targets, t, s, null, 150, 64, 2000, 0, 0);
  addon.linearLogSumExpGrad(x, w, null, x, w, null, targets, s, dHidden, dWeight, null, 150, 64, 2000, 0, 0);
  const both = [keep("ce t", 150), keep("ce s", 150), keep("ce dh", 150 * 64), keep("ce dw", 2000 * 64)] as const;
  addon.linearCrossEntropy(x, w, x, w, null, targets, ...both, null, 150, 64, 2000);
  const [p, m, v] = [x.slice(), w.slice(0, x.length), w.map(Math.abs).slice(0, x.length)];
  const arrays = [p, x, m, v];
  const norm = addon.adamW(arrays, Float64Array.of(x.length), Float64Array.of(0.1), 1, 0.1, 0.9, 0.99, 1e-8, 1);
  keep("norm", 1)[0] = norm;
  results.set("p", p);
  return results;
}
