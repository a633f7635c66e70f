/** @file Causal attention alone, forward and backward, from queries, keys and values side by side. */
import * as tf from "@tensorflow/tfjs";
import { causalAttention } from "../../../dist/engine/ops/causalAttention.js";
import { noise } from "../noise.mjs";

export function prepareAttention({ batch, context, width, heads }) {
  const size = batch * context * width;
  const qkv = tf.tensor3d(noise(3 * size), [batch, context, 3 * width]);
  const dOut = tf.tensor3d(noise(size, 1, 2), [batch, context, width]);
  const gradient = tf.grad((x) => causalAttention(x, heads));
  return () => tf.dispose(gradient(qkv, dOut));
}
