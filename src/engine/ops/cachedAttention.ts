/**
 * @file Causal attention of new positions over those that were read before, whose keys and values are kept.
 *
 * The same numbers as `causalAttention` over the whole text, for its last positions alone. No gradient: texts are read this
 * way when they are written, not when a model is trained.
 */
import * as tf from "@tensorflow/tfjs";
import { type FusedKernel, runFusedMany } from "../fused.ts";
import { type BTE, type BTQKV, expectShape } from "../shapes.ts";
import { mergeHeads, splitQkv, writeCache } from "./splitHeads.ts";

/** Keys and values of one layer, each `[B, H, C, D]`: room for C positions. */
export interface KeyValues {
  readonly keys: tf.Tensor4D;
  readonly values: tf.Tensor4D;
}

/** What the new positions attended to, and the cache with them in it. */
export interface CachedAttention extends KeyValues {
  readonly out: BTE;
}

/**
 * `softmax(Q Kᵀ / √D + mask) V`, where position `start + t` sees positions `0 … start + t`.
 *
 * @param qkv - `[B, T, 3E]`: queries, keys and values of T new positions. Not disposed.
 * @param cache - `start` positions are in it, and there is room for T more. An engine may write into its memory: the caller
 * disposes it and goes on with the one in the result.
 * @returns `out` `[B, T, E]`, heads side by side, and the cache; all owned by the caller.
 */
export function cachedAttention(qkv: BTQKV, cache: KeyValues, start: number): CachedAttention {
  const [B, H, C, D] = cache.keys.shape;
  expectShape("cachedAttention qkv", qkv, [B, null, 3 * H * D]);
  expectShape("cachedAttention values", cache.values, [B, H, C, D]);
  if (start < 0 || start + qkv.shape[1] > C)
    throw new RangeError(`cachedAttention: ${start} + ${qkv.shape[1]} positions do not fit ${C}`);
  const [out, keys, values] = runFusedMany("SoftboxCachedAttention", { qkv, ...cache }, { start });
  return { out: out as BTE, keys: keys as tf.Tensor4D, values: values as tf.Tensor4D };
}

function composite(qkv: tf.Tensor, cache: KeyValues, start: number): tf.Tensor[] {
  const [B, H, , D] = cache.keys.shape;
  const T = qkv.shape[1]!;
  const [q, k, v] = splitQkv(qkv, H);
  const [keys, values] = [writeCache(cache.keys, k, start), writeCache(cache.values, v, start)];
  const seen = (x: tf.Tensor4D): tf.Tensor4D => tf.slice(x, [0, 0, 0, 0], [B, H, start + T, D]); // [B, H, S, D]
  const past = tf.cast(tf.linalg.bandPart(tf.ones([T, start + T]), -1, start), "bool"); // [T, S]
  const scaled = tf.mul(tf.matMul(q, seen(keys), false, true), 1 / Math.sqrt(D)); // [B, H, T, S]
  const weights = tf.softmax(tf.where(past, scaled, Number.NEGATIVE_INFINITY));
  const mixed = tf.matMul(weights, seen(values)) as tf.Tensor4D; // [B, H, T, D]
  return [mergeHeads(mixed), keys, values];
}

export const cachedAttentionKernels: readonly FusedKernel[] = [
  {
    name: "SoftboxCachedAttention",
    composite: ({ qkv, keys, values }, { start }) =>
      composite(qkv!, { keys: keys as tf.Tensor4D, values: values as tf.Tensor4D }, start as number),
  },
];
