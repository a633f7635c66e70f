/** @file The C++ kernels give the same, byte for byte, with any number of threads. */
import { expect, test } from "vitest";
import { dirty, integers, onEveryInstructionSet, randoms } from "../../../test/support/kernels.ts";
import type { Addon } from "./addon.ts";

const bytesOf = (x: Float32Array) => Buffer.from(x.buffer, x.byteOffset, x.byteLength);

onEveryInstructionSet((addon) => {
  test("every result is the same, byte for byte, with 1 and 3 threads", () => {
    for (const rounds of [false, true]) {
      addon.setRounding(rounds);
      const results = [1, 3].map((count) => {
        addon.setThreads(count);
        return everyKernel(addon);
      });
      addon.setRounding(false);
      for (const [name, value] of results[0]!)
        expect(Buffer.compare(bytesOf(value), bytesOf(results[1]!.get(name)!)), name).toBe(0);
    }
  });
});

/** One result of every kernel whose work is shared among threads, at sizes that make several tasks. */
function everyKernel(addon: Addon): Map<string, Float32Array> {
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
