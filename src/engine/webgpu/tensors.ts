/** @file Tensors of our own programs: fresh ones, views, and whether one holds what its type says. */
import type { TensorInfo } from "@tensorflow/tfjs";
import type { WebgpuBackend } from "./device.ts";

export type Tensors = Readonly<Record<string, TensorInfo>>;

/**
 * A kernel of our own programs. Gives `undefined` where shapes are not its business, e.g. with no rows at all; the composite then runs.
 */
export type WebgpuKernel = (
  backend: WebgpuBackend,
  inputs: Tensors,
  // tfjs's attributes are untyped at this border; each kernel names those it reads.
  attributes: Readonly<Record<string, unknown>>,
) => TensorInfo | TensorInfo[] | undefined;

export const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** A tensor with whatever its memory held before. */
export const newFloats = (backend: WebgpuBackend, shape: number[]): TensorInfo =>
  backend.makeTensorInfo(shape, "float32");

/** A tensor that shares `x`'s numbers under another shape. */
export function viewAs(backend: WebgpuBackend, x: TensorInfo, shape: number[]): TensorInfo {
  backend.incRef(x.dataId);
  return { dataId: x.dataId, shape, dtype: x.dtype };
}

/** Whether all of these hold numbers of their type, and some: tfjs casts integers to float32 in name only. */
export const areWhole = (backend: WebgpuBackend, tensors: readonly TensorInfo[]): boolean =>
  tensors.every(({ dataId, dtype, shape }) => backend.tensorMap.get(dataId).dtype === dtype && sizeOf(shape) > 0);

/** A tensor of zeros, written when something on the device wants it. */
export const zeros = (backend: WebgpuBackend, shape: number[]): TensorInfo =>
  backend.makeTensorInfo(shape, "float32", new Float32Array(sizeOf(shape)));
