/** @file What every native kernel is, and the checks they share. */
import * as tf from "@tensorflow/tfjs";
import type { NativeBackend } from "./backend.ts";

export type Tensors = Readonly<Record<string, tf.TensorInfo>>;

/**
 * A kernel over the addon. Gives `undefined` where types or shapes are not its business; tfjs's cpu kernel then runs.
 */
export type NativeKernel = (
  backend: NativeBackend,
  inputs: Tensors,
  // tfjs's attributes are untyped at this border; each kernel names those it reads.
  attributes: Readonly<Record<string, unknown>>,
) => tf.TensorInfo | tf.TensorInfo[] | undefined;

/**
 * The array of a float32 tensor, or `undefined`. tfjs's cast to float32 keeps the integer array, so the array decides,
 * not the type.
 */
export function floatsOf(backend: NativeBackend, x: tf.TensorInfo | undefined): Float32Array | undefined {
  if (x?.dtype !== "float32") return undefined;
  const values = backend.valuesOf(x);
  return values instanceof Float32Array ? values : undefined;
}

/** The array of a float32 tensor of a fused kernel; integers in it are converted. */
export function floatInput(backend: NativeBackend, where: string, x: tf.TensorInfo | undefined, size?: number) {
  if (x?.dtype !== "float32") throw new TypeError(`${where}: expected float32, got ${x?.dtype}`);
  const values = backend.valuesOf(x) as ArrayLike<number>;
  if (size !== undefined && values.length !== size)
    throw new RangeError(`${where}: expected ${size} elements, got ${values.length} (shape [${x.shape}])`);
  return values instanceof Float32Array ? values : Float32Array.from(values);
}

/** The array of an int32 tensor whose values must lie in [0, limit). */
export function idInput(backend: NativeBackend, where: string, x: tf.TensorInfo | undefined, limit: number) {
  if (x?.dtype !== "int32") throw new TypeError(`${where}: expected int32, got ${x?.dtype}`);
  const values = backend.valuesOf(x) as ArrayLike<number>;
  const ids = values instanceof Int32Array ? values : Int32Array.from(values);
  for (let i = 0; i < ids.length; i++)
    if (!(ids[i]! >= 0 && ids[i]! < limit)) throw new RangeError(`${where}: id ${ids[i]} is not in [0, ${limit})`);
  return ids;
}

/** Checks a rank and gives the shape. */
export function shapeOf(where: string, x: tf.TensorInfo | undefined, rank: number): number[] {
  if (x?.shape.length !== rank) throw new RangeError(`${where}: expected rank ${rank}, got [${x?.shape}]`);
  return x.shape;
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

export const sameShape = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((n, i) => n === b[i]);

/** A tensor that shares `x`'s data under another shape. */
export function viewAs(backend: NativeBackend, x: tf.TensorInfo, shape: number[]): tf.TensorInfo {
  backend.incRef(x.dataId);
  return { dataId: x.dataId, shape, dtype: x.dtype };
}

export { tf };
