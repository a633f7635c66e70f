/** @file Attention's heads apart and side by side, and their keys and values put into a cache, in tfjs ops. */
import * as tf from "@tensorflow/tfjs";

/** `[B, T, E]` as `[B, H, T, D]`, `D = E / H`. */
export const splitHeads = (x: tf.Tensor, heads: number): tf.Tensor4D => {
  const [B, T, E] = x.shape as [number, number, number];
  return tf.transpose(tf.reshape(x, [B, T, heads, E / heads]), [0, 2, 1, 3]);
};

/** `[B, H, T, D]` as `[B, T, E]`. */
export const mergeHeads = (x: tf.Tensor4D): tf.Tensor3D => {
  const [B, H, T, D] = x.shape;
  return tf.reshape(tf.transpose(x, [0, 2, 1, 3]), [B, T, H * D]);
};

/** Queries, keys and values side by side, `[B, T, 3E]`, as three times `[B, H, T, D]`. */
export const splitQkv = (qkv: tf.Tensor, heads: number): [q: tf.Tensor4D, k: tf.Tensor4D, v: tf.Tensor4D] =>
  tf.split(qkv, 3, -1).map((part) => splitHeads(part, heads)) as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];

/** A cache `[B, H, C, D]` with `added` in the place of its positions from `start` on. */
export function writeCache(cache: tf.Tensor4D, added: tf.Tensor4D, start: number): tf.Tensor4D {
  const [B, H, C, D] = cache.shape;
  const end = start + added.shape[2];
  const before = tf.slice(cache, [0, 0, 0, 0], [B, H, start, D]);
  const after = tf.slice(cache, [0, 0, end, 0], [B, H, C - end, D]);
  return tf.concat(
    [before, added, after].filter((x) => x.size > 0),
    2,
  );
}
