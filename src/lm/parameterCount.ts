/** @file How many parameters a model has, told from its configuration alone: nothing is allocated. */
import type { ModelConfig } from "./config.ts";
import type { Initializer } from "./init.ts";
import { initParams } from "./model.ts";

/** Scalars in a model's parameters. */
export function countParametersOf(config: ModelConfig): number {
  let count = 0;
  const counted = (shape: readonly number[]): never => {
    count += shape.reduce((a, b) => a * b, 1);
    return undefined as never; // makers of parameters only place what they are given
  };
  const make: Initializer = {
    normal: (_name, shape) => counted(shape),
    constant: counted,
    given: (_values, shape) => counted(shape),
    linear: (_name, inputs, outputs) => counted([inputs + 1, outputs]),
  };
  initParams(config, make);
  return count;
}
