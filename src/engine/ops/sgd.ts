/** @file Gradient descent over all parameters in one call, with global-norm clipping and a running average of the parameters. */
import * as tf from "@tensorflow/tfjs";
import { type FusedKernel, type Inputs, runFused } from "../fused.ts";

/** One parameter with what its update needs; all of one shape. */
export interface SgdSlot {
  readonly parameter: tf.Variable;
  readonly gradient: tf.Tensor;
  /** Running mean of the parameter, or nothing; kept for all slots or none. */
  readonly average?: tf.Variable;
  /** Weight decay (λ). */
  readonly weightDecay: number;
}

export interface SgdSettings {
  readonly learningRate: number;
  /** Largest global gradient norm; 0 leaves gradients as they are. */
  readonly clipNorm: number;
  /** Weight of the new parameters in the average, in (0, 1]; at 1 the average is the parameters. */
  readonly share: number;
}

/**
 * Updates in place: `g ← g · min(1, clip / (‖g‖ + 1e-6))`, `p ← p − lr (g + λ p)`, `a ← a + share (p − a)`.
 *
 * Where the norm is not finite, nothing is changed.
 *
 * @returns the global gradient norm before clipping, a scalar owned by the caller.
 */
export function sgd(slots: readonly SgdSlot[], settings: SgdSettings): tf.Scalar {
  const inputs: Record<string, tf.Tensor> = {};
  for (const [i, { parameter, gradient, average }] of slots.entries()) {
    inputs[`p${i}`] = parameter;
    inputs[`g${i}`] = gradient;
    if (average) inputs[`a${i}`] = average;
  }
  const weightDecay = slots.map((slot) => slot.weightDecay);
  return runFused("SoftboxSgd", inputs, { ...settings, weightDecay, count: slots.length });
}

interface Update {
  readonly learningRate: number;
  readonly share: number;
  readonly finite: tf.Tensor;
  readonly scale: tf.Tensor;
}

function updateSlot(inputs: Inputs, i: number, { learningRate, share, finite, scale }: Update, decay: number): void {
  const [p, average] = [inputs[`p${i}`], inputs[`a${i}`]] as [tf.Variable, tf.Variable | undefined];
  const slope = tf.add(tf.mul(inputs[`g${i}`]!, scale), tf.mul(p, decay));
  p.assign(tf.where(finite, tf.sub(p, tf.mul(slope, learningRate)), p));
  if (!average) return;
  const next = share === 1 ? tf.clone(p) : tf.add(average, tf.mul(tf.sub(p, average), share));
  average.assign(tf.where(finite, next, average));
}

export const sgdKernels: readonly FusedKernel[] = [
  {
    name: "SoftboxSgd",
    composite: (inputs, attributes) => {
      const { count, weightDecay, clipNorm, learningRate, share } = attributes as unknown as SgdSettings & {
        count: number;
        weightDecay: number[];
      };
      const squares = Array.from({ length: count }, (_, i) => tf.sum(tf.square(inputs[`g${i}`]!)));
      const norm = tf.sqrt(tf.addN(squares));
      const scale = clipNorm > 0 ? tf.minimum(1, tf.div(clipNorm, tf.add(norm, 1e-6))) : tf.scalar(1);
      const update = { learningRate, share, finite: tf.isFinite(norm), scale };
      for (let i = 0; i < count; i++) updateSlot(inputs, i, update, weightDecay[i]!);
      return norm;
    },
  },
];
