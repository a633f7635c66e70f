/** @file How training text becomes batches: one plan a kind, each a pure function of seed and number. */
import { type Batch, randomBatch } from "../text/batches.ts";
import { createContiguousBatches } from "../text/contiguous.ts";
import type { TrainingConfig } from "./config.ts";

interface PlanOptions {
  readonly config: TrainingConfig;
  readonly seed: number;
  readonly ids: Int32Array;
  readonly contextLength: number;
}

type Plan = (number: number) => Batch;

const plans = {
  random:
    ({ config: { batchSize }, seed, ids, contextLength }: PlanOptions): Plan =>
    (number) =>
      randomBatch(ids, { seed, step: number, batchSize, contextLength }),
  contiguous: ({ config: { batchSize, batches }, seed, ids, contextLength }: PlanOptions): Plan => {
    const lengths = batches.kind === "contiguous" ? batches.lengths : "fixed";
    return createContiguousBatches(ids, { seed, batchSize, contextLength, lengths });
  },
} satisfies { [K in TrainingConfig["batches"]["kind"]]: (options: PlanOptions) => Plan };

/** The batches of step 1, 2, …: `accumulate` of them each. */
export function createBatchPlan(options: PlanOptions): (step: number) => Batch[] {
  const { accumulate, batches } = options.config;
  const plan = plans[batches.kind](options);
  return (step) => Array.from({ length: accumulate }, (_, micro) => plan((step - 1) * accumulate + micro));
}
