/** @file Rows of a table by id, and the scatter-add that is its gradient. */
import * as tf from "@tensorflow/tfjs";
import { type FusedKernel, runFused } from "../fused.ts";
import { expectShape, type N, type NE } from "../shapes.ts";

/**
 * `table[ids]`.
 *
 * @param ids - `[N]`, int32, each in `[0, V)`. Not disposed.
 * @param table - `[V, E]`.
 * @returns `[N, E]`, owned by the caller.
 */
export function embed(ids: N, table: tf.Tensor2D): NE {
  expectShape("embed ids", ids, [null]);
  return runFused("SoftboxEmbed", { ids, table });
}

export const embedKernels: readonly FusedKernel[] = [
  {
    name: "SoftboxEmbed",
    composite: ({ ids, table }) => tf.gather(table!, ids as tf.Tensor1D),
    gradient: {
      inputsToSave: ["ids", "table"],
      compute: ([dy], [ids, table]) => ({
        table: runFused("SoftboxEmbedGrad", { dy: dy!, ids: ids! }, { vocabSize: table!.shape[0]! }),
      }),
    },
  },
  {
    name: "SoftboxEmbedGrad",
    composite: ({ dy, ids }, { vocabSize }) => tf.unsortedSegmentSum(dy!, ids as tf.Tensor1D, vocabSize as number),
  },
];
