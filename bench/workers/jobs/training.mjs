/** @file A training step as `softbox train` makes it: batch, forward, backward, clipping, AdamW, through the loop itself. */

import { namedVariables } from "../../../dist/engine/params.js";
import { parseModelConfig } from "../../../dist/lm/config.js";
import { createModel } from "../../../dist/lm/model.js";
import { createCarriedState } from "../../../dist/training/carriedState.js";
import { TrainingConfig } from "../../../dist/training/config.js";
import { createOptimizer } from "../../../dist/training/optimizer.js";
import { freshProgress, train } from "../../../dist/training/train.js";
import { noiseIds } from "../noise.mjs";

/** A transformer on windows from anywhere. */
export function prepareTraining({ vocabulary, context, width, layers, heads, batch }) {
  const shape = { vocabSize: vocabulary, contextLength: context, embedSize: width, layers, heads };
  return prepare({ kind: "transformer", ...shape }, { batchSize: batch });
}

/** A recurrent model of layers as wide as its embedding, on text that is read on with carried state. */
export function prepareRecurrent({ cell, vocabulary, context, width, layers, batch }) {
  const hiddenSizes = Array.from({ length: layers }, () => width);
  const shape = { vocabSize: vocabulary, contextLength: context, embedSize: width, hiddenSizes };
  return prepare({ kind: cell, ...shape }, { batchSize: batch, batches: { kind: "contiguous" } });
}

function prepare(shape, training) {
  const model = createModel(parseModelConfig(shape), 1);
  const config = TrainingConfig.parse({ steps: 1e9, evaluateEvery: 0, checkpointEvery: 0, ...training });
  const ids = noiseIds(100_000, shape.vocabSize);
  const events = train({
    model,
    config,
    optimizer: createOptimizer(namedVariables(model.params), config.optimizer),
    carried: createCarriedState(model, config),
    seed: 1,
    progress: freshProgress,
    trainIds: ids,
    validationIds: ids.subarray(0, 1000),
    tokenBytes: new Int32Array(shape.vocabSize).fill(1),
    save: async () => {},
    dump: async () => "nowhere",
  });
  return async () => {
    const { value } = await events.next();
    if (value?.type !== "step") throw new Error(`training: expected a step, got ${JSON.stringify(value)}`);
  };
}
