/** @file AdamW over all parameters in one call, with global-norm clipping (Loshchilov and Hutter 2019, arXiv 1711.05101, alg. 2). */
import * as tf from "@tensorflow/tfjs";
import { type FusedKernel, type Inputs, runFused } from "../fused.ts";

/** One parameter with what its update needs; all four of one shape. */
export interface AdamWSlot {
  readonly parameter: tf.Variable;
  readonly gradient: tf.Tensor;
  /** Running mean of gradients (m). */
  readonly firstMoment: tf.Variable;
  /** Running mean of squared gradients (v). */
  readonly secondMoment: tf.Variable;
  /** Decoupled weight decay (λ). */
  readonly weightDecay: number;
}

export interface AdamWSettings {
  /** From 1; selects the bias correction. */
  readonly step: number;
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** Largest global gradient norm; 0 leaves gradients as they are. */
  readonly clipNorm: number;
}

/**
 * Updates parameters and moments in place:
 * `g ← g · min(1, clip / (‖g‖ + 1e-6))`, `m ← β₁ m + (1−β₁) g`, `v ← β₂ v + (1−β₂) g²`,
 * `p ← p − lr (m̂ / (√v̂ + ε) + λ p)`.
 *
 * Where the norm is not finite, nothing is changed.
 *
 * @returns the global gradient norm before clipping, a scalar owned by the caller.
 */
export function adamW(slots: readonly AdamWSlot[], settings: AdamWSettings): tf.Scalar {
  const inputs: Record<string, tf.Tensor> = {};
  for (const [i, { parameter, gradient, firstMoment, secondMoment }] of slots.entries()) {
    inputs[`p${i}`] = parameter;
    inputs[`g${i}`] = gradient;
    inputs[`m${i}`] = firstMoment;
    inputs[`v${i}`] = secondMoment;
  }
  const weightDecay = slots.map((slot) => slot.weightDecay);
  return runFused("SoftboxAdamW", inputs, { ...settings, weightDecay, count: slots.length });
}

/** The factors that all parameters share. */
interface Update extends AdamWSettings {
  readonly finite: tf.Tensor;
  readonly scale: tf.Tensor;
}

function updateSlot(inputs: Inputs, i: number, update: Update, weightDecay: number): void {
  const { step, learningRate, beta1, beta2, epsilon, finite, scale } = update;
  const [p, m, v] = ["p", "m", "v"].map((name) => inputs[`${name}${i}`] as tf.Variable);
  const gradient = tf.mul(inputs[`g${i}`]!, scale);
  const firstMoment = tf.add(tf.mul(m!, beta1), tf.mul(gradient, 1 - beta1));
  const secondMoment = tf.add(tf.mul(v!, beta2), tf.mul(tf.square(gradient), 1 - beta2));
  const root = tf.sqrt(tf.div(secondMoment, 1 - beta2 ** step));
  const direction = tf.div(tf.div(firstMoment, 1 - beta1 ** step), tf.add(root, epsilon));
  const parameter = tf.sub(p!, tf.mul(tf.add(direction, tf.mul(p!, weightDecay)), learningRate));
  p!.assign(tf.where(finite, parameter, p!));
  m!.assign(tf.where(finite, firstMoment, m!));
  v!.assign(tf.where(finite, secondMoment, v!));
}

export const adamWKernels: readonly FusedKernel[] = [
  {
    name: "SoftboxAdamW",
    composite: (inputs, attributes) => {
      const { count, weightDecay, ...settings } = attributes as unknown as AdamWSettings & {
        count: number;
        weightDecay: number[];
      };
      const squares = Array.from({ length: count }, (_, i) => tf.sum(tf.square(inputs[`g${i}`]!)));
      const norm = tf.sqrt(tf.addN(squares));
      const { clipNorm } = settings;
      const scale = clipNorm > 0 ? tf.minimum(1, tf.div(clipNorm, tf.add(norm, 1e-6))) : tf.scalar(1);
      const update = { ...settings, finite: tf.isFinite(norm), scale };
      for (let i = 0; i < count; i++) updateSlot(inputs, i, update, weightDecay[i]!);
      return norm;
    },
  },
];
