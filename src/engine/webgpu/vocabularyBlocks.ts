/** @file A vocabulary's table in blocks of rows: a device binds only so much of a tensor at a time. */
import type { TensorInfo } from "@tensorflow/tfjs";
import type { WebgpuBackend } from "./device.ts";
import { tileSide } from "./product.ts";
import type { Stretch } from "./program.ts";
import type { Tensors } from "./tensors.ts";

/** Some rows of a table. */
export interface Block {
  readonly from: number;
  readonly count: number;
}

/** A table of `[V, E]` in blocks that the device can bind, of at most `most` rows. All start at multiples of 64 rows. */
export function blocksOf({ device }: WebgpuBackend, V: number, E: number, most: number): Block[] {
  const bindable = Math.floor(device.limits.maxStorageBufferBindingSize / (4 * E));
  const size = Math.max(tileSide, tileSide * Math.floor(Math.min(bindable, most) / tileSide));
  return Array.from({ length: Math.ceil(V / size) }, (_, i) => ({
    from: i * size,
    count: Math.min(size, V - i * size),
  }));
}

/** A block of a table `[V, E]`, for a program to see. */
export const rowsOf = (tensor: TensorInfo, E: number, { from, count }: Block): Stretch => ({
  tensor,
  start: from * E,
  count: count * E,
});

export interface Sizes {
  readonly N: number;
  readonly E: number;
  readonly V: number;
}

/** Of `hidden` `[N, E]` and `weight` `[V, E]`. */
export const sizesOf = ({ hidden, weight }: Tensors): Sizes => {
  const [N, E] = hidden!.shape as [number, number];
  return { N, E, V: weight!.shape[0]! };
};
