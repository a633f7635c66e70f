/**
 * @file Causal softmax attention (Vaswani et al. 2017, https://arxiv.org/abs/1706.03762, eq. 1).
 *
 * Queries, keys and values come side by side, as one matmul leaves them. What is kept for the backward pass is the output
 * and one log-sum-exp a query, never the `[T, T]` weights; they are recomputed (Dao et al. 2022, arXiv 2205.14135).
 */
import * as tf from "@tensorflow/tfjs";
import { type FusedKernel, runFused, runFusedMany } from "../fused.ts";
import { type BTE, type BTQKV, expectShape } from "../shapes.ts";
import { mergeHeads, splitHeads, splitQkv } from "./splitHeads.ts";

/**
 * `softmax(Q Kᵀ / √D + mask) V` for every head; position `t` sees positions `0 … t`.
 *
 * @param qkv - `[B, T, 3E]`: queries, keys, values; each is `heads` slices of `D = E / heads`. Not disposed.
 * @param heads - must divide `E`.
 * @returns `[B, T, E]`, heads side by side, owned by the caller.
 */
export function causalAttention(qkv: BTQKV, heads: number): BTE {
  expectShape("causalAttention qkv", qkv, [null, null, null]);
  if (qkv.shape[2] % (3 * heads) !== 0)
    throw new RangeError(`causalAttention: 3 · heads = ${3 * heads} must divide ${qkv.shape[2]}`);
  const [out, logSumExp] = runFusedMany("SoftboxCausalAttention", { qkv }, { heads });
  logSumExp!.dispose();
  return out as BTE;
}

type Heads = { readonly q: tf.Tensor4D; readonly k: tf.Tensor4D; readonly v: tf.Tensor4D };

function unpack(qkv: tf.Tensor, heads: number): Heads {
  const [q, k, v] = splitQkv(qkv, heads); // 3 × [B, H, T, D]
  return { q, k, v };
}

/** Scaled scores with the future at −∞. */
function scores({ q, k }: Heads): tf.Tensor4D {
  const [, , T, D] = q.shape;
  const past = tf.cast(tf.linalg.bandPart(tf.ones([T, T]), -1, 0), "bool"); // [T, T]
  const scaled = tf.mul(tf.matMul(q, k, false, true), 1 / Math.sqrt(D)); // [B, H, T, T]
  return tf.where(past, scaled, Number.NEGATIVE_INFINITY) as tf.Tensor4D;
}

function backward(inputs: Heads, dOut: tf.Tensor4D, out: tf.Tensor4D): tf.Tensor {
  const D = inputs.q.shape[3];
  const weights = tf.softmax(scores(inputs)); // [B, H, T, T]
  const dV = tf.matMul(weights, dOut, true, false); // [B, H, T, D]
  const dWeights = tf.matMul(dOut, inputs.v, false, true); // [B, H, T, T]
  const mean = tf.sum(tf.mul(dOut, out), -1, true); // [B, H, T, 1]
  const dScores = tf.mul(tf.mul(weights, tf.sub(dWeights, mean)), 1 / Math.sqrt(D)); // [B, H, T, T]
  const dQ = tf.matMul(dScores, inputs.k);
  const dK = tf.matMul(dScores, inputs.q, true, false);
  return tf.concat(
    [dQ, dK, dV].map((part) => mergeHeads(part as tf.Tensor4D)),
    -1,
  ); // [B, T, 3E]
}

export const causalAttentionKernels: readonly FusedKernel[] = [
  {
    name: "SoftboxCausalAttention",
    composite: ({ qkv }, attributes) => {
      const parts = unpack(qkv!, attributes.heads as number);
      const masked = scores(parts);
      const logSumExp = tf.logSumExp(masked, -1); // [B, H, T]
      const weights = tf.softmax(masked); // [B, H, T, T]
      return [mergeHeads(tf.matMul(weights, parts.v) as tf.Tensor4D), logSumExp];
    },
    gradient: {
      inputsToSave: ["qkv"],
      outputsToSave: [true, true],
      compute: ([dOut], [qkv, out, logSumExp], attributes) => {
        const inputs = { dOut: dOut!, qkv: qkv!, out: out!, logSumExp: logSumExp! };
        return { qkv: runFused("SoftboxCausalAttentionGrad", inputs, attributes) };
      },
    },
  },
  {
    name: "SoftboxCausalAttentionGrad",
    composite: ({ dOut, qkv, out }, attributes) => {
      const heads = attributes.heads as number;
      const inputs = unpack(qkv!, heads);
      return backward(inputs, splitHeads(dOut!, heads), splitHeads(out!, heads));
    },
  },
];
