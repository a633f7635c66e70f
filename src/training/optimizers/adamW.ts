/** @file AdamW's state beside the parameters. Bit-exact on resume: all it knows is in two moments a parameter and the step. */
import * as tf from "@tensorflow/tfjs";
import { adamW } from "../../engine/ops/adamW.ts";
import type { AdamWConfig } from "../config.ts";
import { decayOf, type Optimizer, variableLike } from "./optimizer.ts";

/** Zero moments for every parameter, named `first.<parameter>` and `second.<parameter>`. */
export function createAdamW(parameters: ReadonlyMap<string, tf.Variable>, settings: AdamWConfig): Optimizer {
  const slots = [...parameters].map(([name, parameter]) => ({
    name,
    parameter,
    firstMoment: variableLike(parameter, 0),
    secondMoment: variableLike(parameter, 0),
    weightDecay: decayOf(parameter, settings.weightDecay),
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
    swap: () => {},
    evaluated: () => {},
    dispose: () => tf.dispose([...variables.values()]),
  };
}
