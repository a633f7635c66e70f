/**
 * @file Sparsemax (Martins & Astudillo 2016, https://arxiv.org/abs/1602.02068, algorithm 1) and 1.5-entmax (Peters, Niculae & Martins
 * 2019, https://arxiv.org/abs/1905.05702, algorithm 2): distributions that give exactly 0 to what is far below the largest score.
 *
 * Both are `max(0, z − τ)^q` of scores `z = x / q`: q = 1 for sparsemax, q = 2 for 1.5-entmax, with the one τ that makes the sum 1.
 * τ is exact: it follows from the largest scores in order.
 */
import * as tf from "@tensorflow/tfjs";
import { type FusedKernel, runFused } from "../fused.ts";

/** `argmin_p ‖p − x‖²` over distributions `p`. @param x - `[…, S]`, S ≥ 1; −∞ where masked, not a whole row. @returns the same shape, owned by the caller. */
export const sparsemax = <T extends tf.Tensor>(x: T): T => sparseSoftmax(x, 1);

/** 1.5-entmax: between softmax and sparsemax, and smooth. Otherwise as `sparsemax`. */
export const entmax15 = <T extends tf.Tensor>(x: T): T => sparseSoftmax(x, 2);

function sparseSoftmax<T extends tf.Tensor>(x: T, power: 1 | 2): T {
  if (x.rank === 0 || x.size === 0) throw new RangeError(`sparseSoftmax: expected rows, got shape [${x.shape}]`);
  return runFused("SoftboxSparseSoftmax", { x }, { power });
}

/** The τ of each row, `[…, 1]`, of scores from −1 to 0, the largest 0. */
function thresholdOf(z: tf.Tensor, power: number): tf.Tensor {
  const S = z.shape.at(-1)!;
  const { values: sorted } = tf.topk(z, S); // […, S], falling
  const count = tf.range(1, S + 1); // [S]
  const last = z.rank - 1; // tfjs's cumsum takes −1 for another axis
  const sum = tf.cumsum(sorted, last);
  if (power === 1) {
    const inside = tf.cast(tf.greater(tf.add(tf.mul(count, sorted), 1), sum), "float32");
    const size = tf.sum(inside, -1, true); // […, 1]
    return tf.div(tf.sub(tf.sum(tf.mul(sorted, inside), -1, true), 1), size);
  }
  const mean = tf.div(sum, count);
  const spread = tf.sub(tf.cumsum(tf.square(sorted), last), tf.mul(sum, mean)); // Σ (z − mean)² of the first so many
  const taus = tf.sub(mean, tf.sqrt(tf.relu(tf.div(tf.sub(1, spread), count))));
  const size = tf.sum(tf.cast(tf.lessEqual(taus, sorted), "int32"), -1, true); // […, 1]
  const chosen = tf.equal(count, tf.cast(size, "float32")); // […, S], the last score inside
  return tf.sum(tf.mul(taus, tf.cast(chosen, "float32")), -1, true);
}

function composite(x: tf.Tensor, power: number): tf.Tensor {
  const below = tf.div(tf.sub(x, tf.max(x, -1, true)), power);
  const z = tf.maximum(below, -1); // what lies 1 or more below the largest gets nothing: τ is at least its score − 1
  const above = tf.relu(tf.sub(z, thresholdOf(z, power)));
  return power === 1 ? above : tf.square(above);
}

/** With `g = p^(1 − 1/q)` on the support and 0 elsewhere, `∂x = g ⊙ (∂p − Σ g ∂p / Σ g)`. */
function gradient(dy: tf.Tensor, p: tf.Tensor, power: number): tf.Tensor {
  const g = power === 1 ? tf.cast(tf.greater(p, 0), "float32") : tf.sqrt(p);
  const mean = tf.div(tf.sum(tf.mul(g, dy), -1, true), tf.sum(g, -1, true)); // […, 1]
  return tf.mul(g, tf.sub(dy, mean));
}

export const sparseSoftmaxKernels: readonly FusedKernel[] = [
  {
    name: "SoftboxSparseSoftmax",
    composite: ({ x }, { power }) => composite(x!, power as number),
    gradient: {
      outputsToSave: [true],
      compute: ([dy], [p], { power }) => ({ x: tf.tidy(() => gradient(dy!, p!, power as number)) }),
    },
  },
];
