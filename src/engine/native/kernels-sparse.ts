/** @file Sparsemax and 1.5-entmax row by row (engine/ops/sparseSoftmax.ts); the few scores that count are sorted, sums are in float64. */
import { floatInput, type NativeKernel } from "./kernel.ts";

/** τ of scores in rising order, the last of them 0. */
function thresholdOf(sorted: Float32Array, power: number): number {
  let [sum, squares, threshold] = [0, 0, 0];
  for (let k = 1; k <= sorted.length; k++) {
    const z = sorted[sorted.length - k]!;
    sum += z;
    squares += z * z;
    const spread = squares - (sum * sum) / k;
    const next = power === 1 ? (sum - 1) / k : sum / k - Math.sqrt(Math.max(0, (1 - spread) / k));
    if (next > z) break;
    threshold = next;
  }
  return threshold;
}

/** One row of `x` into `y`; `near` is room for a row. */
function normaliseRow(x: Float32Array, y: Float32Array, near: Float32Array, power: number): void {
  let largest = Number.NEGATIVE_INFINITY;
  for (const score of x) if (score > largest) largest = score;
  let count = 0;
  for (const score of x) {
    const z = (score - largest) / power;
    if (z > -1) near[count++] = z; // the others get nothing
  }
  const threshold = thresholdOf(near.subarray(0, count).sort(), power);
  for (let i = 0; i < x.length; i++) {
    const above = Math.max(0, (x[i]! - largest) / power - threshold);
    y[i] = power === 1 ? above : above * above;
  }
}

const sparseSoftmax: NativeKernel = (backend, { x }, { power }) => {
  const values = floatInput(backend, "SoftboxSparseSoftmax x", x);
  const columns = x!.shape.at(-1)!;
  const y = backend.newFloats(x!.shape);
  const near = new Float32Array(columns);
  for (let start = 0; start < values.length; start += columns) {
    const end = start + columns;
    normaliseRow(values.subarray(start, end), y.values.subarray(start, end), near, power as number);
  }
  return y.info;
};

export const sparseKernels: Readonly<Record<string, NativeKernel>> = { SoftboxSparseSoftmax: sparseSoftmax };
