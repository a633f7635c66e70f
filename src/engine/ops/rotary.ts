/**
 * @file Rotary positions (Su et al. 2021, "RoFormer", https://arxiv.org/abs/2104.09864, eq. 34): queries and keys are turned by angles
 * that grow with their position, so that attention sees distances. Planes are features `i` and `i + D / 2` of a head.
 */
import * as tf from "@tensorflow/tfjs";
import { type Attributes, type FusedKernel, runFused } from "../fused.ts";
import type { BTQKV } from "../shapes.ts";
import { anglesOf } from "./rotaryAngles.ts";

/** The slowest plane turns once in about `2π · base` tokens. */
const base = 10_000;

/**
 * Turns queries and keys of every head by `position · 10,000^(−2i / D)`; values stay.
 *
 * @param qkv - `[B, T, 3E]`: queries, keys, values; each is `heads` slices of an even size `D = E / heads`. Not disposed.
 * @param start - position of the first token.
 * @returns `[B, T, 3E]`, owned by the caller.
 */
export function rotary(qkv: BTQKV, heads: number, start = 0): BTQKV {
  if (qkv.shape[2] % (6 * heads) !== 0)
    throw new RangeError(`rotary: 6 · heads = ${6 * heads} must divide ${qkv.shape[2]}, so that heads have pairs`);
  return runFused("SoftboxRotary", { qkv }, { heads, base, start, inverse: 0 });
}

/** Both halves of every head, turned. */
function turn(x: tf.Tensor, heads: number, cosines: tf.Tensor, sines: tf.Tensor): tf.Tensor {
  const [B, T, E] = x.shape as [number, number, number];
  const [a, b] = tf.split(tf.reshape(x, [B, T, heads, E / heads]), 2, -1); // 2 × [B, T, H, D / 2]
  const first = tf.sub(tf.mul(a!, cosines), tf.mul(b!, sines));
  const second = tf.add(tf.mul(b!, cosines), tf.mul(a!, sines));
  return tf.reshape(tf.concat([first, second], -1), [B, T, E]);
}

function composite(qkv: tf.Tensor, attributes: Attributes): tf.Tensor {
  const { heads, base: slowest, start, inverse } = attributes as Record<string, number>;
  const [, T, width] = qkv.shape as [number, number, number];
  const D = width / 3 / heads!;
  const table = tf.tensor(anglesOf(start!, T, D, slowest!).slice(), [1, T, 1, D]);
  const [cosines, sines] = tf.split(table, 2, -1); // 2 × [1, T, 1, D / 2]
  const turned = inverse ? tf.neg(sines!) : sines!;
  const [q, k, v] = tf.split(qkv, 3, -1); // 3 × [B, T, E]
  return tf.concat([turn(q!, heads!, cosines!, turned), turn(k!, heads!, cosines!, turned), v!], -1); // [B, T, 3E]
}

export const rotaryKernels: readonly FusedKernel[] = [
  {
    name: "SoftboxRotary",
    composite: ({ qkv }, attributes) => composite(qkv!, attributes),
    gradient: {
      // A rotation's transpose turns back.
      compute: ([dy], _saved, attributes) => ({
        qkv: runFused("SoftboxRotary", { qkv: dy! }, { ...attributes, inverse: attributes.inverse ? 0 : 1 }),
      }),
    },
  },
];
