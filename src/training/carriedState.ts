/** @file What a model carries from batch to batch while contiguous text is trained on, in variables that a checkpoint keeps. */
import * as tf from "@tensorflow/tfjs";
import type { LanguageModel } from "../lm/model.ts";
import type { State } from "../lm/trunks/trunk.ts";
import type { TrainingConfig } from "./config.ts";

/** Whoever made it disposes it. */
export interface CarriedState {
  /** Named `carried.0` and so on; none where the model carries nothing, or batches do not go on from one another. */
  readonly variables: ReadonlyMap<string, tf.Variable>;
  /** After the last step that was made. */
  readonly state: State;
  /** Remembers the state after a step. Does not dispose it. */
  keep(state: State): void;
  dispose(): void;
}

/** Zeros: nothing was read yet. */
export function createCarriedState(
  model: LanguageModel,
  { batches, batchSize }: Pick<TrainingConfig, "batches" | "batchSize">,
): CarriedState {
  const state = tf.tidy(() => {
    const start = batches.kind === "contiguous" ? model.initialState(batchSize) : [];
    return start.map((part) => tf.variable(part, false));
  });
  return {
    variables: new Map(state.map((variable, i) => [`carried.${i}`, variable])),
    state,
    keep: (next) => {
      for (const [i, variable] of state.entries()) variable.assign(next[i]!);
    },
    dispose: () => tf.dispose(state),
  };
}
