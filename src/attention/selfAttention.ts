/** @file A self-attention layer in GPT-2's form: one matmul for queries, keys and values, one for the output. */
import * as tf from "@tensorflow/tfjs";
import { linear } from "../engine/ops/linear.ts";
import type { BTE, NE } from "../engine/shapes.ts";

/** Parameters of an affine map. */
export interface LinearParams {
  readonly kernel: tf.Variable<tf.Rank.R2>; // [I, O]
  readonly bias: tf.Variable<tf.Rank.R1>; // [O]
}

export interface SelfAttentionParams {
  /** To queries, keys and values side by side: `[E, (H + 2G) D]`, which is `[E, 3E]` where no heads share keys and values. */
  readonly qkv: LinearParams;
  /** Mixes the heads: `[E, E]`. */
  readonly output: LinearParams;
}

/** What queries, keys and values side by side come to: over this text alone, or over what was read before as well. */
export type Attend = (qkv: tf.Tensor3D) => BTE;

/**
 * `concat_heads(normalise(Q Kᵀ / √D + causal mask) V) · W_o + b_o`, with `residual` added where there is one.
 *
 * @param x - `[B·T, E]`. Not disposed.
 * @param batch - B.
 * @param attend - what all heads see.
 * @param residual - `[B·T, E]`, or nothing.
 * @returns `[B·T, E]`, owned by the caller.
 */
export function selfAttention(params: SelfAttentionParams, x: NE, batch: number, attend: Attend, residual?: NE): NE {
  return tf.tidy(() => {
    const [N, E] = x.shape;
    const qkv = linear(x, params.qkv.kernel, params.qkv.bias); // [B·T, (H + 2G) D]
    const mixed = attend(tf.reshape(qkv, [batch, N / batch, qkv.shape[1]])); // [B, T, E]
    const joined = tf.reshape<tf.Rank.R2>(mixed, [N, E]);
    return linear(joined, params.output.kernel, params.output.bias, residual);
  });
}
