/** @file AdamW's state beside the parameters. Bit-exact on resume: all it knows is in two moments a parameter and the step. */
import * as tf from "@tensorflow/tfjs";
import { adamW } from "../engine/ops/adamW.ts";
import type { TrainingConfig } from "./config.ts";

export interface Optimizer {
  /** Both moments of every parameter, named `first.<parameter>` and `second.<parameter>`. */
  readonly variables: ReadonlyMap<string, tf.Variable>;
  /**
   * One update from gradients of the same order as the parameters. Does not dispose them.
   *
   * @returns the global gradient norm before clipping; where it is not finite nothing was changed.
   */
  update(step: number, learningRate: number, gradients: readonly tf.Tensor[]): tf.Scalar;
  dispose(): void;
}

/** Zero moments for every parameter. Decay applies to matrices only, not to gains and biases. */
export function createOptimizer(
  parameters: ReadonlyMap<string, tf.Variable>,
  settings: TrainingConfig["optimizer"],
): Optimizer {
  const zeros = (x: tf.Tensor): tf.Variable => tf.tidy(() => tf.variable(tf.zeros(x.shape), false));
  const slots = [...parameters].map(([name, parameter]) => ({
    name,
    parameter,
    firstMoment: zeros(parameter),
    secondMoment: zeros(parameter),
    weightDecay: parameter.rank > 1 ? settings.weightDecay : 0,
  }));
  const variables = new Map<string, tf.Variable>();
  for (const { name, firstMoment } of slots) variables.set(`first.${name}`, firstMoment);
  for (const { name, secondMoment } of slots) variables.set(`second.${name}`, secondMoment);
  return {
    variables,
    update: (step, learningRate, gradients) => {
      const ready = slots.map((slot, i) => ({ ...slot, gradient: gradients[i]! }));
      return adamW(ready, { ...settings, step, learningRate });
    },
    dispose: () => tf.dispose([...variables.values()]),
  };
}
