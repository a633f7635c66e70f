/** @file Gradient descent, plain and with averaging that starts when validation no longer improves. */
import * as tf from "@tensorflow/tfjs";
import { sgd } from "../../engine/ops/sgd.ts";
import type { AsgdConfig, SgdConfig } from "../config.ts";
import { decayOf, type Optimizer } from "./optimizer.ts";
import { createTrigger } from "./trigger.ts";

type Parameters = ReadonlyMap<string, tf.Variable>;

/** Knows nothing besides the parameters. */
export function createSgd(parameters: Parameters, settings: SgdConfig): Optimizer {
  const slots = [...parameters.values()].map((parameter) => ({
    parameter,
    weightDecay: decayOf(parameter, settings.weightDecay),
  }));
  return {
    variables: new Map(),
    update: (_step, learningRate, gradients) => {
      const ready = slots.map((slot, i) => ({ ...slot, gradient: gradients[i]! }));
      return sgd(ready, { learningRate, clipNorm: settings.clipNorm, share: 1 });
    },
    swap: () => {},
    evaluated: () => {},
    dispose: () => {},
  };
}

/**
 * NT-ASGD (Merity, Keskar and Socher 2018, https://arxiv.org/abs/1708.02182, algorithm 1): gradient descent; from the evaluation on
 * whose loss is above the best of those more than `patience` evaluations ago, what is used is the mean of all parameters since.
 */
export function createAsgd(parameters: Parameters, settings: AsgdConfig): Optimizer {
  const trigger = createTrigger(settings.patience);
  const slots = [...parameters].map(([name, parameter]) => ({
    name,
    parameter,
    average: tf.tidy(() => tf.variable(tf.mul(parameter, 1), false)), // a clone would share its data, which change in place
    weightDecay: decayOf(parameter, settings.weightDecay),
  }));
  const averages = slots.map(({ name, average }) => [`average.${name}`, average] as const);
  return {
    variables: new Map([...averages, ["trigger", trigger.variable] as const]),
    update: (step, learningRate, gradients) => {
      const since = trigger.firedAt();
      const share = since === undefined ? 1 : 1 / Math.max(1, step - since);
      const ready = slots.map((slot, i) => ({ ...slot, gradient: gradients[i]! }));
      return sgd(ready, { learningRate, clipNorm: settings.clipNorm, share });
    },
    swap: () => {
      for (const { parameter, average } of slots)
        tf.tidy(() => {
          const trained = tf.clone(parameter);
          parameter.assign(tf.clone(average));
          average.assign(trained);
        });
    },
    evaluated: trigger.evaluated,
    dispose: () => tf.dispose([...slots.map(({ average }) => average), trigger.variable]),
  };
}
