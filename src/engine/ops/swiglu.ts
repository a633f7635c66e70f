/** @file The gated linear unit with SiLU as its gate (Shazeer 2020, https://arxiv.org/abs/2002.05202, eq. 5). */
import * as tf from "@tensorflow/tfjs";
import { type FusedKernel, runFused } from "../fused.ts";
import type { NE } from "../shapes.ts";

/**
 * `g · σ(g) · u`, element by element, where a row of `x` holds gates g and then as many values u, as one matmul leaves them.
 *
 * @param x - `[N, 2F]`. Not disposed.
 * @returns `[N, F]`, owned by the caller.
 */
export function swiglu(x: NE): NE {
  if (x.shape[1] % 2 !== 0) throw new RangeError(`swiglu: the last axis must be even, got ${x.shape[1]}`);
  return runFused("SoftboxSwiglu", { x });
}

export const swigluKernels: readonly FusedKernel[] = [
  {
    name: "SoftboxSwiglu",
    composite: ({ x }) => {
      const [gate, up] = tf.split(x!, 2, -1); // 2 × [N, F]
      return tf.mul(tf.mul(gate!, tf.sigmoid(gate!)), up!);
    },
    gradient: {
      inputsToSave: ["x"],
      compute: ([dy], [x]) => ({ x: runFused("SoftboxSwigluGrad", { dy: dy!, x: x! }) }),
    },
  },
  {
    name: "SoftboxSwigluGrad",
    composite: ({ dy, x }) => {
      const [gate, up] = tf.split(x!, 2, -1); // 2 × [N, F]
      const open = tf.sigmoid(gate!);
      const slope = tf.mul(open, tf.add(1, tf.mul(gate!, tf.sub(1, open)))); // of g · σ(g)
      return tf.concat([tf.mul(tf.mul(dy!, up!), slope), tf.mul(dy!, tf.mul(gate!, open))], -1); // [N, 2F]
    },
  },
];
