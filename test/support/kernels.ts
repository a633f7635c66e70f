/** @file What tests of the C++ kernels share: every instruction set, numbers to begin with, plain references in float64. */
import { afterAll, beforeAll, describe, expect } from "vitest";
import { type Addon, loadAddon } from "../../src/engine/native/addon.ts";
import { createRandomStream, randomKey } from "../../src/engine/random.ts";
import { loadWasm } from "../../src/engine/wasm/addon.ts";

const variants = [loadAddon(), loadWasm().addon].flatMap((addon) =>
  addon.instructionSets().map((instructions) => ({ addon, instructions })),
);

/** Declares tests for every instruction set of this CPU, and for WebAssembly; instructions and threads are then set back. */
export function onEveryInstructionSet(declare: (addon: Addon) => void): void {
  describe.each(variants)("with $instructions instructions", ({ addon, instructions }) => {
    const [best, threads] = [addon.instructionSet(), addon.threads()];
    beforeAll(() => addon.setInstructionSet(instructions));
    afterAll(() => {
      addon.setInstructionSet(best);
      addon.setThreads(threads);
    });
    declare(addon);
  });
}

/** Numbers from −scale to scale; the same for the same name. */
export function randoms(n: number, name: string, scale = 1): Float32Array {
  const random = createRandomStream(randomKey(11, name));
  return Float32Array.from({ length: n }, () => (random.uniform() * 2 - 1) * scale);
}
/** Whole numbers from 0 to limit − 1. */
export function integers(n: number, limit: number, name: string): Int32Array {
  const random = createRandomStream(randomKey(12, name));
  return Int32Array.from({ length: n }, () => random.below(limit));
}
/** What a kernel must write in full. */
export const dirty = (n: number) => new Float32Array(n).fill(Number.NaN);

/** Largest difference, relative to `scale`. Where the reference is not finite, both must agree exactly. */
export function expectClose(got: ArrayLike<number>, expected: ArrayLike<number>, tolerance = 1e-5, scale = 1): void {
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

/** Float32 sums of n products of numbers up to 1 err by at most about n · 2^-24 each; random signs make it √n. */
export const sumTolerance = (n: number) => 1e-6 * (2 + Math.sqrt(n));

/** Around the widths of vectors and tiles. */
export const odd = [1, 3, 17, 65, 257];

/** The nearest bfloat16, ties to even. */
export function roundToBfloat16(x: Float32Array): Float32Array {
  const bits = new Uint32Array(x.slice().buffer);
  for (const [i, word] of bits.entries()) bits[i] = (word + 0x7fff + ((word >> 16) & 1)) & 0xffff0000;
  return new Float32Array(bits.buffer);
}

/** Runs `body` with products that round their inputs. */
export function rounding(addon: Addon, body: () => void): void {
  addon.setRounding(true);
  try {
    body();
  } finally {
    addon.setRounding(false);
  }
}

export function matmulReference(
  a: Float32Array,
  b: Float32Array,
  m: number,
  n: number,
  k: number,
  ta: boolean,
  tb: boolean,
) {
  const c = new Float64Array(m * n);
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let p = 0; p < k; p++) sum += a[ta ? p * m + i : i * k + p]! * b[tb ? j * k + p : p * n + j]!;
      c[i * n + j] = sum;
    }
  return c;
}

export function softmaxReference(row: ArrayLike<number>): { weights: Float64Array; logSumExp: number } {
  const top = Math.max(...Array.from(row));
  const powers = Float64Array.from(row, (x) => Math.exp(x - top));
  const sum = powers.reduce((a, b) => a + b, 0);
  return { weights: powers.map((p) => p / sum), logSumExp: top + Math.log(sum) };
}
