/**
 * @file Causal attention in all its forms: plain softmax attention runs as one fused kernel (engine/ops/), the others as products
 * around a normaliser, with the `[T, T]` weights in memory.
 *
 * Queries, keys and values of all heads come side by side. Where several heads share keys and values (grouped queries, Ainslie et
 * al. 2023, https://arxiv.org/abs/2305.13245), these are repeated for the heads; only a cache holds them once.
 */
import * as tf from "@tensorflow/tfjs";
import { type CachedAttention, cachedAttention, type KeyValues } from "../engine/ops/cachedAttention.ts";
import { causalAttention } from "../engine/ops/causalAttention.ts";
import { mergeHeads, splitQkv, writeCache } from "../engine/ops/splitHeads.ts";
import { type BTE, type BTQKV, expectShape } from "../engine/shapes.ts";
import { slopesOf } from "./alibi.ts";
import { firstSeen, maskScores, type Stretch } from "./masks.ts";
import { type NormaliserName, normalisers } from "./normalisers.ts";

/** How heads look at a text. */
export interface AttentionForm {
  /** H. */
  readonly heads: number;
  /** G: heads that share keys and values are `H / G`, side by side. */
  readonly keyValueHeads: number;
  readonly normaliser: NormaliserName;
  /** Whether scores fall with the distance. */
  readonly alibi: boolean;
  /** How many positions a query sees, its own included; 0: all before it. */
  readonly window: number;
}

/** Changes the weights `[B, H, T, S]` of a training step: dropout. */
type ChangeWeights = (weights: tf.Tensor4D) => tf.Tensor4D;

const isPlain = ({ normaliser, alibi, window }: AttentionForm): boolean =>
  normaliser === "softmax" && !alibi && window === 0;

/**
 * `normalise(Q Kᵀ / √D + bias + mask) V` for every head; position `t` sees positions up to its own.
 *
 * @param qkv - `[B, T, 3E]`: queries, keys, values of H heads each. Not disposed.
 * @param change - what becomes of the weights, where anything does.
 * @returns `[B, T, E]`, heads side by side, owned by the caller.
 */
export function attend(qkv: BTQKV, form: AttentionForm, change?: ChangeWeights): BTE {
  if (isPlain(form) && !change) return causalAttention(qkv, form.heads);
  return tf.tidy(() => {
    const [q, k, v] = splitQkv(qkv, form.heads); // 3 × [B, H, T, D]
    const T = qkv.shape[1];
    const weights = weightsOf(q, k, { query: 0, queries: T, key: 0, keys: T }, form); // [B, H, T, T]
    return mergeHeads(tf.matMul(change ? change(weights) : weights, v)); // [B, T, E]
  });
}

/**
 * The same for new positions, over those that were read before, whose keys and values are kept.
 *
 * @param qkv - `[B, T, 3E]`, of T new positions. Not disposed.
 * @param cache - `[B, G, C, D]` each: `start` positions are in it, and there is room for T more. An engine may write into its
 * memory: the caller disposes it and goes on with the one in the result.
 */
export function attendCached(qkv: BTQKV, cache: KeyValues, start: number, form: AttentionForm): CachedAttention {
  const { heads: H, keyValueHeads: G, window } = form;
  if (isPlain(form) && G === H) return cachedAttention(qkv, cache, start);
  const [B, T, width] = qkv.shape;
  const [room, D] = [cache.keys.shape[2], width / (3 * H)];
  expectShape("attendCached keys", cache.keys, [B, G, null, D]);
  expectShape("attendCached values", cache.values, [B, G, room, D]);
  if (start < 0 || start + T > room) throw new RangeError(`attendCached: ${start} + ${T} positions do not fit ${room}`);
  return tf.tidy(() => {
    const [q, k, v] = splitQkv(qkv, H); // 3 × [B, H, T, D]
    const keys = writeCache(cache.keys, firstOfGroups(k, G), start); // [B, G, C, D]
    const values = writeCache(cache.values, firstOfGroups(v, G), start);
    const first = firstSeen(start, window);
    const S = start + T - first;
    const seen = (x: tf.Tensor4D): tf.Tensor4D => tf.slice(x, [0, 0, first, 0], [B, G, S, D]);
    const weights = weightsOf(q, seen(keys), { query: start, queries: T, key: first, keys: S }, form); // [B, H, T, S]
    const grouped: tf.Tensor4D = tf.matMul(stackGroups(weights, G), seen(values)); // [B, G, (H / G) · T, D]
    const out = mergeHeads(tf.reshape<tf.Rank.R4>(grouped, [B, H, T, D])); // [B, T, E]
    return { out, keys, values };
  });
}

/** The weights of one head over a text, `[T, T]`, 0 where not seen; owned by the caller. @param qkv - `[1, T, 3E]`, not disposed. */
export function attentionWeights(qkv: BTQKV, form: AttentionForm, head: number): tf.Tensor2D {
  return tf.tidy(() => {
    const [q, k] = splitQkv(qkv, form.heads); // [1, H, T, D] each
    const T = qkv.shape[1];
    const weights = weightsOf(q, k, { query: 0, queries: T, key: 0, keys: T }, form); // [1, H, T, T]
    return tf.reshape(tf.slice(weights, [0, head, 0, 0], [1, 1, T, T]), [T, T]);
  });
}

/**
 * Repeats keys and values for the heads that share them.
 *
 * @param qkv - `[B, T, (H + 2G) D]`. Not disposed.
 * @returns `[B, T, 3E]`, owned by the caller: the argument itself under another name where nothing is shared.
 */
export function repeatKeyValues(qkv: tf.Tensor3D, { heads: H, keyValueHeads: G }: AttentionForm): BTQKV {
  if (G === H) return tf.clone(qkv);
  return tf.tidy(() => {
    const [B, T, width] = qkv.shape;
    const D = width / (H + 2 * G);
    const [q, k, v] = tf.split(qkv, [H * D, G * D, G * D], -1) as [tf.Tensor3D, tf.Tensor3D, tf.Tensor3D];
    const repeat = (x: tf.Tensor3D): tf.Tensor3D => {
      const one = tf.reshape<tf.Rank.R4>(x, [B * T, G, 1, D]);
      const copies = tf.concat(Array<tf.Tensor4D>(H / G).fill(one), 2); // [B·T, G, H / G, D]
      return tf.reshape(copies, [B, T, H * D]);
    };
    return tf.concat([q, repeat(k), repeat(v)], -1); // [B, T, 3E]
  });
}

/** Weights `[B, H, T, S]` of queries `[B, H, T, D]` over keys `[B, H or G, S, D]`. */
function weightsOf(q: tf.Tensor4D, k: tf.Tensor4D, stretch: Stretch, form: AttentionForm): tf.Tensor4D {
  const [B, H, T, D] = q.shape;
  const scaled = stackGroups(tf.mul(q, 1 / Math.sqrt(D)), k.shape[1]); // [B, G, (H / G) · T, D]
  const scores = tf.reshape(tf.matMul(scaled, k, false, true), [B, H, T, stretch.keys]); // [B, H, T, S]
  return normalisers[form.normaliser].weights(tf.add(scores, biasOf(stretch, form)));
}

/** What is added to scores, `[T, S]`, or `[H, T, S]` where heads differ. */
function biasOf(stretch: Stretch, { heads, normaliser, alibi, window }: AttentionForm): tf.Tensor {
  const { queries: T, keys: S } = stretch;
  const { shift = () => 0 } = normalisers[normaliser];
  if (!alibi)
    return tf.tensor2d(
      maskScores(stretch, window, (_, seen) => shift(seen)),
      [T, S],
    );
  const planes = slopesOf(heads).map((slope) => {
    const values = maskScores(stretch, window, (distance, seen) => shift(seen) - slope * distance);
    return tf.tensor2d(values, [T, S]);
  });
  return tf.stack(planes); // [H, T, S]
}

/** Rows of the heads that share keys below each other: `[B, H, T, X]` as `[B, G, (H / G) · T, X]`. */
const stackGroups = (x: tf.Tensor4D, G: number): tf.Tensor4D => {
  const [B, H, T, X] = x.shape;
  return tf.reshape(x, [B, G, (H / G) * T, X]);
};

/** Of heads that share keys and values, the first: `[B, H, T, D]` as `[B, G, T, D]`. */
const firstOfGroups = (x: tf.Tensor4D, G: number): tf.Tensor4D => {
  const [B, H, T, D] = x.shape;
  if (G === H) return x;
  const groups = tf.reshape(x, [B, G, H / G, T, D]);
  return tf.reshape(tf.slice(groups, [0, 0, 0, 0, 0], [B, G, 1, T, D]), [B, G, T, D]);
};
