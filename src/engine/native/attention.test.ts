/** @file Causal attention of the C++ kernels against a float64 reference. */
import { test } from "vitest";
import {
  dirty,
  expectClose,
  onEveryInstructionSet,
  randoms,
  rounding,
  softmaxReference,
} from "../../../test/support/kernels.ts";
import type { Addon } from "./addon.ts";

onEveryInstructionSet((addon) => {
  test("causal attention and its gradient equal the reference", () => {
    for (const [B, T, heads, D, scale] of [
      [1, 1, 1, 1, 1],
      [2, 3, 2, 5, 1],
      [2, 65, 1, 32, 1],
      [1, 200, 3, 17, 2],
      [1, 150, 1, 64, 100],
    ] as const)
      checkAttention(addon, B, T, heads, D, scale);
  });

  test("at bfloat16, causal attention and its gradient equal the reference", () => {
    // Every product rounds both sides by 2^-9 at most; three stand in a row, and errors add like random numbers.
    rounding(addon, () => {
      for (const [B, T, heads, D] of [
        [1, 1, 1, 1],
        [2, 3, 2, 5],
        [1, 200, 3, 17],
        [2, 150, 1, 64],
      ] as const)
        checkAttention(addon, B, T, heads, D, 1, 2e-2);
    });
  });
});

function checkAttention(addon: Addon, B: number, T: number, heads: number, D: number, scale: number, loose = 0): void {
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
