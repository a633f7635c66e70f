/**
 * @file AdamW by `ResourceApplyAdam`, which goes over a parameter and its moments once. The norm is read back first: where it is not
 * finite, nothing is computed at all.
 */
import type * as tf from "@tensorflow/tfjs";
import type { AdamWSettings } from "../ops/adamW.ts";
import { addAll, times } from "./arithmetic.ts";
import { resourcesOf } from "./resources.ts";
import type { Handle, Scope, TensorflowKernel } from "./scope.ts";

/** What a parameter's update takes besides arrays, in the operation's order: β₁ᵗ, β₂ᵗ, lr, β₁, β₂, ε. */
function factorsOf(t: Scope, { step, learningRate, beta1, beta2, epsilon }: AdamWSettings): Handle[] {
  const correction = Math.sqrt(1 - beta2 ** step); // TensorFlow adds its ε to √v, the paper to √v̂ = √v / correction
  return [beta1 ** step, beta2 ** step, learningRate, beta1, beta2, epsilon * correction].map((x) => t.scalar(x));
}

/** `‖g‖` over all gradients. */
function globalNorm(t: Scope, gradients: readonly Handle[]): number {
  const halfSquares = gradients.map((gradient) => t.op("L2Loss", [gradient]));
  return Math.sqrt(2 * t.read(addAll(t, halfSquares))[0]!);
}

export const adamW: TensorflowKernel = (t, inputs, attributes) => {
  const { count, weightDecay, ...settings } = attributes as unknown as AdamWSettings & {
    readonly count: number;
    readonly weightDecay: readonly number[];
  };
  const gradients = Array.from({ length: count }, (_, i) => t.input(inputs[`g${i}`]));
  const norm = globalNorm(t, gradients);
  if (!Number.isFinite(norm)) return t.scalar(norm);
  const { clipNorm, learningRate } = settings;
  const clip = clipNorm > 0 ? Math.min(1, clipNorm / (norm + 1e-6)) : 1;
  const factors = factorsOf(t, settings);
  const resources = resourcesOf(t.backend);
  for (const [i, gradient] of gradients.entries()) {
    const variables = ["p", "m", "v"].map((name) => inputs[`${name}${i}`] as tf.Variable);
    const decay = learningRate * weightDecay[i]!;
    // Decay first: p ← p − lr λ p. Adam's step, which follows, does not look at p.
    const decayed = decay > 0 ? times(t, t.input(variables[0]), 1 - decay) : undefined;
    const clipped = clip === 1 ? gradient : times(t, gradient, clip);
    resources.update(t, variables, decayed, (handles) => t.run("ResourceApplyAdam", [...handles, ...factors, clipped]));
    if (clipped !== gradient) t.free(clipped);
  }
  resources.release(t);
  return t.scalar(norm);
};
