/** @file Kernels that move data: Transpose, Slice, SplitV, Concat, GatherV2, UnsortedSegmentSum, Cast, Fill and their like. */
import type { NativeBackend, Output } from "./backend.ts";
import { floatsOf, type NativeKernel, sameShape, sizeOf, type Tensors, tf } from "./kernel.ts";

type Words = Float32Array | Int32Array;

/** The array of a tensor of 4-byte items that are what its type says. */
function wordsOf(backend: NativeBackend, x: tf.TensorInfo | undefined): Words | undefined {
  const values = x && backend.valuesOf(x);
  if (x?.dtype === "float32" && values instanceof Float32Array) return values;
  return x?.dtype === "int32" && values instanceof Int32Array ? values : undefined;
}

const newLike = (backend: NativeBackend, values: Words, shape: readonly number[]): Output<Words> =>
  values instanceof Float32Array ? backend.newFloats(shape) : backend.newInts(shape);

/** Strides of a contiguous tensor. */
function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let i = shape.length - 2; i >= 0; i--) strides[i] = strides[i + 1]! * shape[i + 1]!;
  return strides;
}

/** Drops axes of size 1, joins neighbours that lie end to end on both sides, and fills up to two axes. */
export function foldAxes(shape: readonly number[], from: readonly number[], to: readonly number[]): number[][] {
  const axes: [number, number, number][] = [];
  for (const [i, n] of shape.entries()) {
    if (n === 1) continue;
    const last = axes.at(-1);
    if (last && last[1] === n * from[i]! && last[2] === n * to[i]!) {
      last[0] *= n;
      last[1] = from[i]!;
      last[2] = to[i]!;
    } else axes.push([n, from[i]!, to[i]!]);
  }
  while (axes.length < 2) axes.unshift([1, 0, 0]);
  return [axes.map((a) => a[0]), axes.map((a) => a[1]), axes.map((a) => a[2])];
}

/** Copies an index space between two arrays; `false` where it has too many axes. */
function copyStrided(
  backend: NativeBackend,
  from: { values: Words; offset: number; strides: readonly number[] },
  to: { values: Words; offset: number; strides: readonly number[] },
  shape: readonly number[],
): boolean {
  const layout = foldAxes(shape, from.strides, to.strides);
  const rank = layout[0]!.length;
  if (rank > 8) return false;
  backend.addon.copyStrided(from.values, from.offset, to.values, to.offset, Float64Array.from(layout.flat()), rank);
  return true;
}

const transpose: NativeKernel = (backend, { x }, attributes) => {
  const values = wordsOf(backend, x);
  if (!values?.length || x!.shape.length > 8) return undefined;
  const perm = attributes.perm as number[];
  const shape = perm.map((axis) => x!.shape[axis]!);
  const strides = stridesOf(x!.shape);
  const y = newLike(backend, values, shape);
  const from = { values, offset: 0, strides: perm.map((axis) => strides[axis]!) };
  copyStrided(backend, from, { values: y.values, offset: 0, strides: stridesOf(shape) }, shape);
  return y.info;
};

const slice: NativeKernel = (backend, { x }, attributes) => {
  const values = wordsOf(backend, x);
  if (!values?.length || x!.shape.length > 8) return undefined;
  const { begin: from, size: extent } = attributes as { begin: number[]; size: number[] };
  const [begin, size] = tf.slice_util.parseSliceParams(x!, from, extent) as [number[], number[]];
  tf.slice_util.assertParamsValid(x!, begin, size);
  const y = newLike(backend, values, size);
  if (y.values.length === 0) return y.info;
  const strides = stridesOf(x!.shape);
  const offset = begin.reduce((sum, b, axis) => sum + b * strides[axis]!, 0);
  copyStrided(backend, { values, offset, strides }, { values: y.values, offset: 0, strides: stridesOf(size) }, size);
  return y.info;
};

/** Consecutive parts of one axis. */
const splitV: NativeKernel = (backend, { x }, attributes) => {
  const values = wordsOf(backend, x);
  if (!values?.length || x!.shape.length > 8) return undefined;
  const axis = tf.util.parseAxisParam(attributes.axis as number, x!.shape)[0]!;
  const parts = tf.backend_util.prepareSplitSize(x as tf.Tensor, attributes.numOrSizeSplits as number | number[], axis);
  const strides = stridesOf(x!.shape);
  let offset = 0;
  return parts.map((part) => {
    const size = x!.shape.map((n, i) => (i === axis ? part : n));
    const y = newLike(backend, values, size);
    const to = { values: y.values, offset: 0, strides: stridesOf(size) };
    if (y.values.length > 0) copyStrided(backend, { values, offset, strides }, to, size);
    offset += part * strides[axis]!;
    return y.info;
  });
};

const concat: NativeKernel = (backend, inputs, attributes) => {
  const tensors = Object.values(inputs);
  const arrays = tensors.map((x) => wordsOf(backend, x));
  const dtype = tensors[0]!.dtype;
  if (tensors.length < 2 || !arrays.every((a, i) => a && a.length > 0 && tensors[i]!.dtype === dtype)) return undefined;
  const shapes = tensors.map((x) => x.shape);
  const axis = tf.util.parseAxisParam(attributes.axis as number, shapes[0]!)[0]!;
  tf.backend_util.assertParamsConsistent(shapes, axis);
  const shape = tf.backend_util.computeOutShape(shapes, axis);
  const y = newLike(backend, arrays[0]!, shape);
  const row = sizeOf(shape.slice(axis)); // elements of the result an outer index
  const outer = sizeOf(shape.slice(0, axis));
  let offset = 0;
  for (const values of arrays as Words[]) {
    const width = values.length / outer;
    const from = { values, offset: 0, strides: [width, 1] };
    copyStrided(backend, from, { values: y.values, offset, strides: [row, 1] }, [outer, width]);
    offset += width;
  }
  return y.info;
};

/** Rows of a table by valid ids; everything else is the cpu kernel's, its errors included. */
const gatherV2: NativeKernel = (backend, { x, indices }, attributes) => {
  const table = floatsOf(backend, x);
  const ids = indices?.dtype === "int32" ? backend.valuesOf(indices) : undefined;
  const axis = attributes.axis as number;
  if (!table?.length || !(ids instanceof Int32Array) || axis !== 0 || attributes.batchDims) return undefined;
  const rows = x!.shape[0]!;
  if (!ids.every((id) => id >= 0 && id < rows)) return undefined;
  const y = backend.newFloats([...indices!.shape, ...x!.shape.slice(1)]);
  backend.addon.gather(table, ids, y.values, ids.length, table.length / rows);
  return y.info;
};

const unsortedSegmentSum: NativeKernel = (backend, { x, segmentIds }, attributes) => {
  const values = floatsOf(backend, x);
  const ids = segmentIds?.dtype === "int32" ? backend.valuesOf(segmentIds) : undefined;
  const segments = attributes.numSegments as number;
  if (!values?.length || !(ids instanceof Int32Array) || segmentIds!.shape.length !== 1) return undefined;
  if (ids.length !== x!.shape[0] || segments < 1) return undefined;
  const y = backend.newFloats([segments, ...x!.shape.slice(1)]);
  backend.addon.scatterAdd(values, ids, y.values, ids.length, segments, values.length / ids.length, true);
  return y.info;
};

/** To float32 as a real float array (tfjs's own keeps the integers' array), and from float32 to int32. */
const cast: NativeKernel = (backend, { x }, attributes) => {
  const values = backend.valuesOf(x!);
  const dtype = attributes.dtype;
  const numbers = values instanceof Int32Array || values instanceof Uint8Array || values instanceof Float32Array;
  if (!numbers || x!.dtype === dtype || (dtype !== "float32" && dtype !== "int32")) return undefined;
  if (dtype === "int32" && x!.dtype !== "float32") return undefined;
  const y = dtype === "float32" ? backend.newFloats(x!.shape) : backend.newInts(x!.shape);
  y.values.set(values as Float32Array);
  return y.info;
};

function filled(backend: NativeBackend, shape: readonly number[], dtype: unknown, value: unknown) {
  if (typeof value !== "number" || (dtype !== "float32" && dtype !== "int32")) return undefined;
  const y = dtype === "float32" ? backend.newFloats(shape) : backend.newInts(shape);
  y.values.fill(value);
  return y.info;
}

const fill: NativeKernel = (backend, _inputs, { shape, dtype, value }) =>
  filled(backend, shape as number[], dtype ?? (typeof value === "string" ? "string" : "float32"), value);

const constantLike =
  (value: number): NativeKernel =>
  (backend, { x }: Tensors) =>
    filled(backend, x!.shape, x!.dtype, value);

/** Elements of one of two float tensors by a condition of the same shape. */
const select: NativeKernel = (backend, { condition, t, e }) => {
  const [yes, no] = [floatsOf(backend, t), floatsOf(backend, e)];
  const flags = backend.valuesOf(condition!);
  if (!yes || !no || !(flags instanceof Uint8Array) || !sameShape(t!.shape, condition!.shape)) return undefined;
  if (!sameShape(t!.shape, e!.shape)) return undefined;
  const { info, values } = backend.newFloats(t!.shape);
  for (let i = 0; i < values.length; i++) values[i] = flags[i] ? yes[i]! : no[i]!;
  return info;
};

export const dataKernels: Readonly<Record<string, NativeKernel>> = {
  Transpose: transpose,
  Slice: slice,
  SplitV: splitV,
  Concat: concat,
  GatherV2: gatherV2,
  UnsortedSegmentSum: unsortedSegmentSum,
  Cast: cast,
  Fill: fill,
  ZerosLike: constantLike(0),
  OnesLike: constantLike(1),
  Select: select,
};
