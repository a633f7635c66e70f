/** @file Rows of a table by id, and the scatter-add that is its gradient. */
import * as tf from "@tensorflow/tfjs";
import { type FusedKernel, isSpent, runFused, runFusedMany } from "../fused.ts";
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

/** Rows of a table that the output layer uses too. */
export interface TiedRows {
  /** `table[ids]`, `[N, E]`. */
  readonly rows: NE;
  /** The table for the output layer, `[V, E]`. */
  readonly table: tf.Tensor2D;
}

/**
 * `table[ids]`, and the table to go on with. Whoever uses that one instead of the first gives the embedding the gradient of its own use, which
 * takes the rows' in: one matrix of the table's size in place of three (each use's, and their sum).
 *
 * Arguments as in `embed`; both results are owned by the caller.
 */
export function embedTied(ids: N, table: tf.Tensor2D): TiedRows {
  expectShape("embed ids", ids, [null]);
  const [rows, same] = runFusedMany("SoftboxEmbedTied", { ids, table });
  return { rows: rows as NE, table: same as tf.Tensor2D };
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
    name: "SoftboxEmbedTied",
    composite: ({ ids, table }) => [tf.gather(table!, ids as tf.Tensor1D), tf.clone(table!)],
    gradient: {
      inputsToSave: ["ids"],
      compute: ([dRows, dTable], [ids]) => {
        const inputs = { dRows: dRows!, dTable: dTable!, ids: ids! };
        return { table: runFused("SoftboxEmbedTiedGrad", inputs, { overwrite: isSpent(dTable!) ? 1 : 0 }) };
      },
    },
  },
  {
    name: "SoftboxEmbedTiedGrad",
    composite: ({ dRows, dTable, ids }) =>
      tf.add(dTable!, tf.unsortedSegmentSum(dRows!, ids as tf.Tensor1D, dTable!.shape[0]!)),
  },
  {
    name: "SoftboxEmbedGrad",
    composite: ({ dy, ids }, { vocabSize }) => tf.unsortedSegmentSum(dy!, ids as tf.Tensor1D, vocabSize as number),
  },
];
