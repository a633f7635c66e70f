/** @file Every optimiser there is. A new one is a new file and one line here. */
import type * as tf from "@tensorflow/tfjs";
import type { AdamWConfig, AsgdConfig, OptimizerConfig, SgdConfig } from "./config.ts";
import { createAdamW } from "./optimizers/adamW.ts";
import type { Optimizer } from "./optimizers/optimizer.ts";
import { createAsgd, createSgd } from "./optimizers/sgd.ts";

export type { Optimizer } from "./optimizers/optimizer.ts";

/** The optimiser that a configuration names, fresh. */
export function createOptimizer(parameters: ReadonlyMap<string, tf.Variable>, settings: OptimizerConfig): Optimizer {
  switch (settings.kind) {
    case "adamw":
      return createAdamW(parameters, settings satisfies AdamWConfig);
    case "sgd":
      return createSgd(parameters, settings satisfies SgdConfig);
    case "asgd":
      return createAsgd(parameters, settings satisfies AsgdConfig);
    default:
      return settings satisfies never;
  }
}
