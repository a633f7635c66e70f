/** @file Kernels of one or two elements: arithmetic with tfjs's broadcasting, exp, log, tanh and their like. */
import { floatsOf, type NativeKernel, sameShape, sizeOf, tf } from "./kernel.ts";

/** Numbers known to native/elementwise.h. */
const unaryOperations = {
  Exp: 0,
  Log: 1,
  Tanh: 2,
  Sigmoid: 3,
  Square: 4,
  Sqrt: 5,
  Rsqrt: 6,
  Neg: 7,
  Relu: 8,
  Reciprocal: 9,
} as const;
export const binaryOperations = { Add: 0, Sub: 1, Multiply: 2, RealDiv: 3 } as const;

const unaryKernel =
  (operation: number): NativeKernel =>
  (backend, { x }) => {
    const values = floatsOf(backend, x);
    if (!values) return undefined;
    const y = backend.newFloats(x!.shape);
    backend.addon.unary(operation, values, y.values, values.length);
    return y.info;
  };

/** Where one side of a binary operation stands in a plane of [rows, columns]: strides 0 where it is broadcast. */
interface Side {
  readonly rowStride: number;
  readonly columnStride: number;
}
interface Plane {
  readonly rows: number;
  readonly columns: number;
  readonly a: Side;
  readonly b: Side;
  readonly shape: number[];
}

/**
 * Folds two shapes that broadcast into a plane in which each side is whole, one row, one column or one number;
 * `undefined` where they mix in another way.
 */
export function planeOf(a: readonly number[], b: readonly number[]): Plane | undefined {
  if (sameShape(a, b)) return planeOfWhole([...a]);
  const shape = tf.backend_util.assertAndGetBroadcastShape([...a], [...b]);
  const [left, right] = [padded(a, shape.length), padded(b, shape.length)];
  // The fewest trailing axes in which neither side changes between broadcast and not.
  const kind = (axis: number) => (left[axis] === shape[axis] ? 1 : 0) + (right[axis] === shape[axis] ? 2 : 0);
  const axes = shape.map((_, axis) => axis).filter((axis) => shape[axis] !== 1);
  const last = axes.at(-1);
  if (last === undefined) return planeOfWhole(shape);
  const split = axes.findLastIndex((axis) => kind(axis) !== kind(last)) + 1;
  if (axes.slice(0, split).some((axis) => kind(axis) !== kind(axes[0]!))) return undefined;
  const columns = sizeOf(axes.slice(split).map((axis) => shape[axis]!));
  const rows = sizeOf(axes.slice(0, split).map((axis) => shape[axis]!));
  const side = (bit: number): Side => {
    const columnStride = kind(last) & bit ? 1 : 0;
    const width = columnStride ? columns : 1;
    return { rowStride: split > 0 && kind(axes[0]!) & bit ? width : 0, columnStride };
  };
  return { rows, columns, a: side(1), b: side(2), shape };
}

function planeOfWhole(shape: number[]): Plane {
  const side = { rowStride: 0, columnStride: 1 };
  return { rows: 1, columns: sizeOf(shape), a: side, b: side, shape };
}

const padded = (shape: readonly number[], rank: number): number[] => [
  ...new Array<number>(rank - shape.length).fill(1),
  ...shape,
];

const binaryKernel =
  (operation: number): NativeKernel =>
  (backend, { a, b }) => {
    const left = floatsOf(backend, a);
    const right = floatsOf(backend, b);
    if (!left?.length || !right?.length) return undefined;
    const plane = planeOf(a!.shape, b!.shape);
    if (!plane) return undefined;
    const y = backend.newFloats(plane.shape);
    const { rows, columns } = plane;
    const [l, r] = [plane.a, plane.b];
    backend.addon.binary(
      operation,
      left,
      l.rowStride,
      l.columnStride,
      right,
      r.rowStride,
      r.columnStride,
      y.values,
      rows,
      columns,
    );
    return y.info;
  };

const addN: NativeKernel = (backend, inputs) => {
  const tensors = Object.values(inputs);
  const arrays = tensors.map((x) => floatsOf(backend, x));
  if (tensors.length < 2 || !arrays.every((x) => x !== undefined && x.length === arrays[0]!.length)) return undefined;
  const y = backend.newFloats(tensors[0]!.shape);
  const n = y.values.length;
  backend.addon.binary(binaryOperations.Add, arrays[0]!, 0, 1, arrays[1]!, 0, 1, y.values, 1, n);
  for (const x of arrays.slice(2)) backend.addon.binary(binaryOperations.Add, y.values, 0, 1, x!, 0, 1, y.values, 1, n);
  return y.info;
};

const tableOf = (operations: Readonly<Record<string, number>>, make: (operation: number) => NativeKernel) =>
  Object.fromEntries(Object.entries(operations).map(([name, operation]) => [name, make(operation)]));

export const elementwiseKernels: Readonly<Record<string, NativeKernel>> = {
  ...tableOf(unaryOperations, unaryKernel),
  ...tableOf(binaryOperations, binaryKernel),
  AddN: addN,
};
