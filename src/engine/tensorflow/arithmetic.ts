/** @file The operations that our kernels are made of, under short names. Shapes broadcast as TensorFlow has it. */
import type { Handle, Scope } from "./scope.ts";

export const add = (t: Scope, a: Handle, b: Handle): Handle => t.op("AddV2", [a, b]);
export const sub = (t: Scope, a: Handle, b: Handle): Handle => t.op("Sub", [a, b]);
export const mul = (t: Scope, a: Handle, b: Handle): Handle => t.op("Mul", [a, b]);
export const times = (t: Scope, a: Handle, factor: number): Handle => t.op("Mul", [a, t.scalar(factor)]);
export const plus = (t: Scope, a: Handle, term: number): Handle => t.op("AddV2", [a, t.scalar(term)]);
export const square = (t: Scope, a: Handle): Handle => t.op("Square", [a]);

/** `[M, K] · [K, N]`, either as it lies or transposed. */
export const matMul = (t: Scope, a: Handle, b: Handle, transposeA = false, transposeB = false): Handle =>
  t.op("MatMul", [a, b], [t.attribute.flag("transpose_a", transposeA), t.attribute.flag("transpose_b", transposeB)]);

/** The same for the last two axes of arrays of one batch shape. */
export const batchMatMul = (t: Scope, a: Handle, b: Handle, transposeA = false, transposeB = false): Handle =>
  t.op("BatchMatMulV2", [a, b], [t.attribute.flag("adj_x", transposeA), t.attribute.flag("adj_y", transposeB)]);

/** Adds one number a column. */
export const addBias = (t: Scope, x: Handle, bias: Handle): Handle => t.op("BiasAdd", [x, bias]);
/** Sums the rows. */
export const sumRows = (t: Scope, x: Handle): Handle => t.op("BiasAddGrad", [x]);

/** Over one axis, which stays with size 1. */
const reduce = (t: Scope, name: string, x: Handle, axis: number): Handle =>
  t.op(name, [x, t.int(axis)], [t.attribute.flag("keep_dims", true)]);
export const mean = (t: Scope, x: Handle, axis = -1): Handle => reduce(t, "Mean", x, axis);
export const sum = (t: Scope, x: Handle, axis = -1): Handle => reduce(t, "Sum", x, axis);

export const reshape = (t: Scope, x: Handle, shape: readonly number[]): Handle => t.op("Reshape", [x, t.ints(shape)]);
export const transpose = (t: Scope, x: Handle, order: readonly number[]): Handle =>
  t.op("Transpose", [x, t.ints(order)]);
/** The parts along the first axis, which goes. */
export const unpack = (t: Scope, x: Handle, count: number): Handle[] =>
  t.ops("Unpack", [x], count, [t.attribute.count("num", count), t.attribute.count("axis", 0)]);
/** Puts arrays of one shape on each other, along a new first axis. */
export const pack = (t: Scope, parts: readonly Handle[]): Handle =>
  t.op("Pack", parts, [t.attribute.count("N", parts.length), t.attribute.floatType, t.attribute.count("axis", 0)]);
export const addAll = (t: Scope, parts: readonly Handle[]): Handle =>
  t.op("AddN", parts, [t.attribute.count("N", parts.length), t.attribute.floatType]);
/** Rows `start … start + count` of a matrix or a vector. */
export function rows(t: Scope, x: Handle, start: number, count: number): Handle {
  const rest = x.shape.slice(1);
  return t.op("Slice", [x, t.ints([start, ...rest.map(() => 0)]), t.ints([count, ...rest])]);
}
