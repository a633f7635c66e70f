/** @file The Gaussian error linear unit in its tanh form, as GPT-2 uses it (Hendrycks and Gimpel 2016, arXiv 1606.08415). */
import * as tf from "@tensorflow/tfjs";
import { type FusedKernel, runFused } from "../fused.ts";

const scale = Math.sqrt(2 / Math.PI);
const cubic = 0.044715;

/**
 * `½ x (1 + tanh(√(2/π) (x + 0.044715 x³)))`, element by element.
 *
 * @param x - any shape. Not disposed.
 * @returns same shape, owned by the caller.
 */
export const gelu = <T extends tf.Tensor>(x: T): T => runFused<T>("SoftboxGelu", { x });

/** `tanh(√(2/π) (x + 0.044715 x³))`. */
const gate = (x: tf.Tensor): tf.Tensor => tf.tanh(tf.mul(tf.add(x, tf.mul(tf.mul(tf.square(x), x), cubic)), scale));

export const geluKernels: readonly FusedKernel[] = [
  {
    name: "SoftboxGelu",
    composite: ({ x }) => tf.mul(tf.mul(x!, 0.5), tf.add(gate(x!), 1)),
    gradient: {
      inputsToSave: ["x"],
      compute: ([dy], [x]) => ({ x: runFused("SoftboxGeluGrad", { dy: dy!, x: x! }) }),
    },
  },
  {
    name: "SoftboxGeluGrad",
    composite: ({ dy, x }) => {
      const tanh = gate(x!);
      const inner = tf.mul(tf.add(tf.mul(tf.square(x!), 3 * cubic), 1), scale); // derivative of tanh's argument
      const slope = tf.mul(tf.mul(tf.sub(1, tf.square(tanh)), inner), x!);
      return tf.mul(dy!, tf.mul(tf.add(tf.add(tanh, 1), slope), 0.5));
    },
  },
];
