/** @file RMS norm, SwiGLU and rotary kernels against float64 references, on every instruction set and in WebAssembly. */
import { expect, test } from "vitest";
import { type Arrays, rmsNorm64, rotary64, sumOf, swiglu64 } from "../../../test/support/float64.ts";
import { dirty, onEveryInstructionSet } from "../../../test/support/kernels.ts";
import { anglesOf } from "../ops/rotaryAngles.ts";
import { createRandomStream, randomKey } from "../random.ts";

function normals(n: number, name: string, scale = 1): Float32Array {
  const random = createRandomStream(randomKey(7, name));
  return Float32Array.from({ length: n }, () => scale * random.normal());
}
const exact = (x: Float32Array): Float64Array => Float64Array.from(x);

/** Largest difference relative to the expected value, at least 1. */
function difference(got: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (got.length !== expected.length) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    const distance = Math.abs(got[i]! - expected[i]!) / Math.max(1, Math.abs(expected[i]!));
    largest = Math.max(largest, Number.isNaN(distance) ? Number.POSITIVE_INFINITY : distance);
  }
  return largest;
}

/** `Σ dy · y`, whose gradient is what the gradient kernels compute; by central differences along one direction. */
function slopeAlong(f: (x: Arrays) => Float64Array[], at: Arrays, dy: Float32Array, name: string): number {
  const value = (step: number): number => {
    const moved = at[name]!.map((x, i) => x + step * direction(i));
    const [y] = f({ ...at, [name]: moved });
    return sumOf(dy.length, (i) => dy[i]! * y![i]!);
  };
  return (value(1e-5) - value(-1e-5)) / 2e-5;
}
const direction = (i: number): number => Math.sin(1 + 0.37 * i);
const along = (gradient: Float32Array): number => sumOf(gradient.length, (i) => gradient[i]! * direction(i));

/** Shapes around the widths of vectors and of tasks. */
const shapes = [1, 3, 17, 65, 257].flatMap((columns) => [1, 3, 70].map((rows) => [rows, columns] as const));

onEveryInstructionSet((addon) => {
  test("RMS norm and its gradient equal the reference at odd sizes", () => {
    for (const [N, E] of [...shapes, [140, 200] as const]) {
      const [x, gain, dy] = [normals(N * E, "x", 2), normals(E, "gain"), normals(N * E, "dy")];
      const [y, dx, dgain] = [dirty(N * E), dirty(N * E), dirty(E)];
      addon.rmsNorm(x, gain, y, N, E, 1e-5);
      addon.rmsNormGrad(dy, x, gain, dx, dgain, N, E, 1e-5);
      const at = { x: exact(x), gain: exact(gain) };
      expect(difference(y, rmsNorm64(at)[0]!)).toBeLessThan(2e-6);
      // Sums of N · E products of size 1: rounding grows as their root.
      const tolerance = 3e-6 * (2 + Math.sqrt(N * E));
      expect(Math.abs(along(dx) - slopeAlong(rmsNorm64, at, dy, "x"))).toBeLessThan(tolerance);
      expect(Math.abs(along(dgain) - slopeAlong(rmsNorm64, at, dy, "gain"))).toBeLessThan(tolerance);
    }
  });

  test("a row of zeros has finite RMS norm and gradient, and of no rows there is nothing", () => {
    const [y, dx, dgain] = [dirty(4), dirty(4), dirty(4)];
    addon.rmsNorm(new Float32Array(4), normals(4, "gain"), y, 1, 4, 1e-5);
    addon.rmsNormGrad(normals(4, "dy"), new Float32Array(4), normals(4, "gain"), dx, dgain, 1, 4, 1e-5);
    expect([...y].map(Math.abs)).toEqual([0, 0, 0, 0]);
    expect([...dgain].map(Math.abs)).toEqual([0, 0, 0, 0]);
    expect(dx.every(Number.isFinite)).toBe(true);
    addon.rmsNormGrad(new Float32Array(0), new Float32Array(0), normals(4, "gain"), dirty(0), dgain, 0, 4, 1e-5);
    expect([...dgain].map(Math.abs)).toEqual([0, 0, 0, 0]);
  });

  test("SwiGLU and its gradient equal the reference at odd sizes", () => {
    for (const [N, F] of shapes) {
      const [x, dy] = [normals(2 * N * F, "gated", 3), normals(N * F, "dy")];
      const [y, dx] = [dirty(N * F), dirty(2 * N * F)];
      addon.swiglu(x, y, N, F);
      addon.swigluGrad(dy, x, dx, N, F);
      expect(difference(y, swiglu64(F)({ x: exact(x) })[0]!)).toBeLessThan(2e-6);
      const slope = slopeAlong(swiglu64(F), { x: exact(x) }, dy, "x");
      expect(Math.abs(along(dx) - slope)).toBeLessThan(3e-6 * (2 + Math.sqrt(N * F)));
    }
  });

  test("SwiGLU of gates of ±1e4 is finite: shut or open", () => {
    const [y, dx] = [dirty(2), dirty(4)];
    const x = Float32Array.of(1e4, -1e4, 2, 3);
    addon.swiglu(x, y, 1, 2);
    addon.swigluGrad(Float32Array.of(1, 1), x, dx, 1, 2);
    expect(y[0]).toBe(2e4);
    expect(Math.abs(y[1]!)).toBe(0);
    expect([...dx].map(Math.abs)).toEqual([2, 0, 1e4, 0]);
  });

  test("rotary turns queries and keys as the reference does, keeps values, and turns back", () => {
    for (const [B, T, D, heads] of [
      [1, 1, 2, 1],
      [2, 5, 6, 3],
      [1, 33, 34, 2],
      [3, 17, 64, 1],
      [1, 3, 130, 2],
    ] as const)
      for (const start of [0, 511]) {
        const E = D * heads;
        const qkv = normals(B * T * 3 * E, "qkv");
        const [turned, back] = [dirty(qkv.length), dirty(qkv.length)];
        const angles = anglesOf(start, T, D, 10_000);
        addon.rotary(qkv, angles, turned, B, T, E, heads, false);
        addon.rotary(turned, angles, back, B, T, E, heads, true);
        expect(difference(turned, rotary64({ qkv: exact(qkv) }, { T, E, heads, start })[0]!)).toBeLessThan(1e-6);
        expect(difference(back, qkv)).toBeLessThan(1e-6);
      }
  });

  test("the number of threads changes no bit", () => {
    const [N, E] = [100, 200];
    const [x, gain, dy] = [normals(N * E, "x"), normals(E, "gain"), normals(N * E, "dy")];
    const results = [1, 3].map((threads) => {
      addon.setThreads(threads);
      const outputs = [dirty(N * E), dirty(E), dirty((N * E) / 2), dirty(N * E)];
      addon.rmsNormGrad(dy, x, gain, outputs[0]!, outputs[1]!, N, E, 1e-5);
      addon.swiglu(x, outputs[2]!, N, E / 2);
      addon.swigluGrad(outputs[2]!, x, outputs[3]!, N, E / 2);
      return outputs;
    });
    expect(results[0]).toEqual(results[1]);
  });
});
