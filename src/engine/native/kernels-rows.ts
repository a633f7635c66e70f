/** @file Reductions and softmax: Sum, Mean and Max over the last axes, the first axes or all, Softmax, LogSoftmax. */
import { floatsOf, type NativeKernel, sizeOf, tf } from "./kernel.ts";

/** Numbers known to native/rows.h. */
const reductions = { Sum: 0, Mean: 1, Max: 2 } as const;

/** A tensor seen as [rows, columns], of which one is reduced. */
interface Reduction {
  readonly over: "rows" | "columns";
  readonly rows: number;
  readonly columns: number;
  readonly shape: number[];
}

function reductionOf(shape: number[], axis: number | number[], keepDims: boolean): Reduction | undefined {
  const axes = tf.util.parseAxisParam(axis, shape);
  const kept = shape.map((_, i) => i).filter((i) => !axes.includes(i));
  const outShape = keepDims ? shape.map((n, i) => (axes.includes(i) ? 1 : n)) : kept.map((i) => shape[i]!);
  const reduced = sizeOf(axes.map((i) => shape[i]!));
  const rest = sizeOf(kept.map((i) => shape[i]!));
  if (axes.length === 0 || reduced * rest === 0) return undefined;
  if (kept.every((i) => i < axes[0]!)) return { over: "columns", rows: rest, columns: reduced, shape: outShape };
  if (kept.every((i) => i > axes.at(-1)!)) return { over: "rows", rows: reduced, columns: rest, shape: outShape };
  return undefined;
}

const reductionKernel =
  (operation: number): NativeKernel =>
  (backend, { x }, attributes) => {
    const values = floatsOf(backend, x);
    const axis = (attributes.axis ?? attributes.reductionIndices) as number | number[];
    const r = values && reductionOf(x!.shape, axis, attributes.keepDims === true);
    if (!r) return undefined;
    const y = backend.newFloats(r.shape);
    const reduce = r.over === "columns" ? backend.addon.reduceRows : backend.addon.reduceColumns;
    reduce(operation, values, y.values, r.rows, r.columns);
    return y.info;
  };

const softmaxKernel =
  (logarithm: boolean): NativeKernel =>
  (backend, { logits }, attributes) => {
    const values = floatsOf(backend, logits);
    const rank = logits!.shape.length;
    const axis = (attributes.dim ?? attributes.axis ?? -1) as number;
    const columns = logits!.shape[rank - 1] ?? 0;
    if (!values?.length || (axis !== -1 && axis !== rank - 1)) return undefined;
    const y = backend.newFloats(logits!.shape);
    backend.addon.softmax(values, y.values, values.length / columns, columns, logarithm);
    return y.info;
  };

const tableOf = (operations: Readonly<Record<string, number>>) =>
  Object.fromEntries(Object.entries(operations).map(([name, operation]) => [name, reductionKernel(operation)]));

export const rowKernels: Readonly<Record<string, NativeKernel>> = {
  ...tableOf(reductions),
  Softmax: softmaxKernel(false),
  LogSoftmax: softmaxKernel(true),
};
