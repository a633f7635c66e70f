/** @file The kernels of texts read token by token, against float64 references, on every instruction set and in WebAssembly. */
import { beforeAll, expect, test } from "vitest";
import { geluReference, geluSlopeReference } from "../../../test/support/float64.ts";
import {
  dirty,
  expectClose,
  matmulReference,
  onEveryInstructionSet,
  randoms,
  roundToBfloat16,
  softmaxReference,
  sumTolerance,
} from "../../../test/support/kernels.ts";

/** Nearest bfloat16, ties to even, by the definition: among its two neighbours. */
function bfloat16(x: number): number {
  const words = new Uint32Array(Float32Array.of(x).buffer);
  const [low, rest] = [words[0]! & 0xffff0000, words[0]! & 0xffff];
  const up = rest > 0x8000 || (rest === 0x8000 && ((low >>> 16) & 1) === 1);
  return new Float32Array(Uint32Array.of(low + (up ? 0x10000 : 0)).buffer)[0]!;
}

/** Softmax attention of one head over its first positions: queries `[T, D]` at `start`, keys and values `[S, D]`. */
function attend(q: number[][], k: number[][], v: number[][], start: number): number[][] {
  return q.map((query, t) => {
    const seen = k.slice(0, start + t + 1);
    const scores = seen.map((key) => key.reduce((sum, x, d) => sum + x * query[d]!, 0) / Math.sqrt(query.length));
    const { weights } = softmaxReference(scores);
    return query.map((_, d) => weights.reduce((sum, weight, s) => sum + weight * v[s]![d]!, 0));
  });
}

interface Sizes {
  readonly B: number;
  readonly H: number;
  readonly D: number;
  readonly start: number;
  readonly T: number;
  readonly C: number;
}

const rowOf = (x: Float32Array, row: number, D: number): number[] => Array.from(x.slice(row * D, (row + 1) * D));

/** Rows `[T, D]` of one head of one sequence, of `[B, T, 3E]` where `which` of three is given, else of `[B, T, E]`. */
function newRows(x: Float32Array, { H, D, T }: Sizes, head: number, which: number | undefined): number[][] {
  const [b, h] = [Math.floor(head / H), head % H];
  const [parts, part] = which === undefined ? [1, 0] : [3, which];
  return Array.from({ length: T }, (_, t) => rowOf(x, ((b * T + t) * parts + part) * H + h, D));
}

onEveryInstructionSet((addon) => {
  beforeAll(() => addon.setThreads(3));

  const sizes = [1, 2, 5, 8].flatMap((m) =>
    [
      [1, 1],
      [3, 17],
      [65, 96],
      [300, 770],
    ].map(([n, k]) => [m, n!, k!] as const),
  );

  test.each([false, true])("products of one to eight rows equal the reference, b transposed: %s", (tb) => {
    for (const [m, n, k] of sizes) {
      const [a, b, bias] = [randoms(m * k, "a"), randoms(n * k, "b"), randoms(n, "bias")];
      const c = dirty(m * n);
      addon.matmul(a, b, c, m, n, k, false, tb, bias, 0, 1, 0, 0);
      expectClose(
        c,
        matmulReference(a, b, m, n, k, false, tb).map((x, i) => x + bias[i % n]!),
        sumTolerance(k),
      );
    }
  });

  test("numbers are rounded to the nearest bfloat16, ties to even", () => {
    const x = Float32Array.of(
      0,
      -0,
      1,
      1 + 2 ** -8,
      1 + 3 * 2 ** -8,
      1 + 2 ** -8 + 2 ** -20,
      -2.7,
      1e-30,
      3e38,
      ...randoms(1000, "x"),
    );
    const y = new Uint16Array(x.length);
    addon.toHalves(x, y, x.length);
    const wide = new Float32Array(Uint32Array.from(y, (half) => half << 16).buffer);
    expect(Array.from(wide)).toEqual(Array.from(x, bfloat16));
  });

  test.each([false, true])(
    "products with a right side in bfloat16 are those of the rounded numbers, transposed: %s",
    (tb) => {
      for (const [m, n, k] of sizes) {
        const [a, b, bias] = [randoms(m * k, "a"), randoms(n * k, "b"), randoms(n, "bias")];
        const halves = new Uint16Array(n * k);
        addon.toHalves(b, halves, n * k);
        const c = dirty(m * n);
        addon.matmulHalves(a, halves, c, m, n, k, tb, bias);
        const expected = matmulReference(roundToBfloat16(a), roundToBfloat16(b), m, n, k, false, tb);
        expectClose(
          c,
          expected.map((x, i) => x + bias[i % n]!),
          sumTolerance(k),
        );
      }
    },
  );

  test("a linear map in bfloat16 adds bias and residual, or applies GELU and keeps its slope", () => {
    const [m, n, k] = [3, 70, 130];
    const [x, kernel, bias, residual] = [
      randoms(m * k, "a"),
      randoms(n * k, "b"),
      randoms(n, "bias"),
      randoms(m * n, "r"),
    ];
    const halves = new Uint16Array(n * k);
    addon.toHalves(kernel, halves, n * k);
    const plain = matmulReference(roundToBfloat16(x), roundToBfloat16(kernel), m, n, k, false, false).map(
      (y, i) => y + bias[i % n]!,
    );
    const [y, z, kept] = [dirty(m * n), dirty(m * n), dirty(m * n)];
    addon.linearHalves(x, halves, bias, residual, null, y, m, k, n);
    addon.linearHalves(x, halves, bias, null, kept, z, m, k, n);
    expectClose(
      y,
      plain.map((value, i) => value + residual[i]!),
      sumTolerance(k),
    );
    expectClose(z, plain.map(geluReference), sumTolerance(k));
    expectClose(kept, plain.map(geluSlopeReference), sumTolerance(k));
  });

  test.each([
    { B: 1, H: 1, D: 1, start: 0, T: 1, C: 1 },
    { B: 2, H: 3, D: 5, start: 7, T: 1, C: 9 },
    { B: 1, H: 2, D: 64, start: 130, T: 4, C: 200 },
    { B: 2, H: 1, D: 80, start: 0, T: 6, C: 6 },
    { B: 1, H: 1, D: 129, start: 33, T: 2, C: 64 },
  ])("attention over kept keys and values equals the reference: %o", (sizes) => {
    const { B, H, D, start, T, C } = sizes;
    const E = H * D;
    const qkv = randoms(B * T * 3 * E, "qkv").map((x) => 3 * x);
    const [keys, values] = [randoms(B * H * C * D, "keys"), randoms(B * H * C * D, "values")];
    const old = { keys: keys.slice(), values: values.slice() };
    const out = dirty(B * T * E);
    addon.attentionStep(qkv, keys, values, out, B, T, H, D, start, C);
    for (let head = 0; head < B * H; head++) {
      const [q, k, v] = [0, 1, 2].map((which) => newRows(qkv, sizes, head, which)) as [
        number[][],
        number[][],
        number[][],
      ];
      const rows = (cache: Float32Array) => Array.from({ length: C }, (_, s) => rowOf(cache, head * C + s, D));
      const seen = {
        keys: [...rows(old.keys).slice(0, start), ...k],
        values: [...rows(old.values).slice(0, start), ...v],
      };
      const expected = attend(q, seen.keys, seen.values, start);
      expectClose(newRows(out, sizes, head, undefined).flat(), expected.flat(), 1e-5);
      // What lies behind stays as it was.
      expect(rows(keys)).toEqual([...seen.keys, ...rows(old.keys).slice(start + T)]);
      expect(rows(values)).toEqual([...seen.values, ...rows(old.values).slice(start + T)]);
    }
  });

  test("results do not depend on the number of threads", () => {
    const [m, n, k] = [2, 900, 800];
    const [a, b] = [randoms(m * k, "a"), randoms(n * k, "b")];
    const productOn = (threads: number, tb: boolean) => {
      addon.setThreads(threads);
      const c = dirty(m * n);
      addon.matmul(a, b, c, m, n, k, false, tb, null, 0, 1, 0, 0);
      return c;
    };
    for (const tb of [false, true]) expect(productOn(1, tb)).toEqual(productOn(3, tb));
  });
});
