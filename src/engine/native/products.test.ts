/** @file Matrix products and affine maps of the C++ kernels against float64 references. */
import { expect, test } from "vitest";
import { geluReference, geluSlopeReference } from "../../../test/support/float64.ts";
import {
  dirty,
  expectClose,
  matmulReference,
  odd,
  onEveryInstructionSet,
  randoms,
  rounding,
  roundToBfloat16,
  sumTolerance,
} from "../../../test/support/kernels.ts";
import type { Addon } from "./addon.ts";

const transposes = [
  [false, false],
  [false, true],
  [true, false],
  [true, true],
] as const;

onEveryInstructionSet((addon) => {
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
    rounding(addon, () => {
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
      for (const rounded of [false, true]) checkLinear(addon, rows, inputs, outputs, rounded);
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
});

function checkLinear(addon: Addon, rows: number, inputs: number, outputs: number, rounded: boolean): void {
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
