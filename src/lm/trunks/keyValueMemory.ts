/** @file What a transformer keeps of a text: every layer's keys and values, so that a new token reads them instead of the text. */
import * as tf from "@tensorflow/tfjs";
import type { CachedAttention, KeyValues } from "../../engine/ops/cachedAttention.ts";
import type { BT, BTE, BTQKV, NE } from "../../engine/shapes.ts";
import type { Memory } from "./trunk.ts";

/** Attention of a layer, by its index. */
type AttendLayer = (qkv: BTQKV, layer: number) => BTE;

/** Attention of new positions over `start` ones in a cache, with room for the new ones; the cache is not disposed. */
export type AttendNew = (qkv: BTQKV, cache: KeyValues, start: number) => CachedAttention;

export interface KeyValueSizes {
  readonly layers: number;
  /** Heads that have keys and values of their own. */
  readonly heads: number;
  readonly headSize: number;
  /** Most positions there is ever room for. */
  readonly capacity: number;
}

/** Room for so many positions at first; it doubles as the text grows. */
const firstRoom = 64;

/**
 * An empty memory.
 *
 * @param forward - the trunk over ids `[B, T]` that stand from position `start` on, with this attention: `[B·T, E]`.
 */
export function createKeyValueMemory(
  sizes: KeyValueSizes,
  rows: number,
  attendNew: AttendNew,
  forward: (ids: BT, start: number, attend: AttendLayer) => NE,
): Memory {
  const { layers, heads, headSize, capacity } = sizes;
  const fresh = (): tf.Tensor4D => tf.zeros([rows, heads, Math.min(firstRoom, capacity), headSize]);
  const caches: KeyValues[] = Array.from({ length: layers }, () => ({ keys: fresh(), values: fresh() }));
  let length = 0;

  /** Puts another cache in the place of a layer's; it outlives any `tidy`. */
  const replace = (layer: number, { keys, values }: KeyValues): void => {
    const { keys: oldKeys, values: oldValues } = caches[layer]!;
    caches[layer] = { keys: tf.keep(keys), values: tf.keep(values) };
    tf.dispose([oldKeys, oldValues]);
  };
  const map = (change: (x: tf.Tensor4D) => tf.Tensor4D): void => {
    for (const [layer, { keys, values }] of caches.entries())
      replace(layer, { keys: change(keys), values: change(values) });
  };
  const makeRoom = (wanted: number): void => {
    let room = caches[0]?.keys.shape[2] ?? wanted;
    if (wanted <= room) return;
    while (room < wanted) room *= 2;
    const more = Math.min(room, capacity) - caches[0]!.keys.shape[2];
    map((x) =>
      tf.pad(x, [
        [0, 0],
        [0, 0],
        [0, more],
        [0, 0],
      ]),
    );
  };
  const attend: AttendLayer = (qkv, layer) => {
    const { out, ...cache } = attendNew(qkv, caches[layer]!, length);
    replace(layer, cache);
    return out;
  };

  return {
    get length() {
      return length;
    },
    read: (ids) => {
      makeRoom(length + ids.shape[1]);
      const states = forward(ids, length, attend);
      length += ids.shape[1];
      return states;
    },
    cut: (kept) => {
      length = Math.min(length, kept);
    },
    select: (chosen) => {
      const ids = tf.tensor1d([...chosen], "int32");
      map((x) => tf.gather(x, ids));
      ids.dispose();
    },
    dispose: () => tf.dispose(caches.flatMap(({ keys, values }) => [keys, values])),
  };
}
