/**
 * @file Named axes for tensors.
 *
 * tfjs types know a tensor's rank, not what its axes mean. The types here add the meaning: two rank-3 tensors with
 * different axes no longer mix by accident. Letters as in docs/notation.md.
 */
import type * as tf from "@tensorflow/tfjs";
import { ShapeError } from "./errors.ts";

declare const axes: unique symbol;

/** A tensor `T` whose axes carry the names `A`; raw tfjs results flow in freely. */
export type Named<T extends tf.Tensor, A extends readonly string[]> = T & { readonly [axes]?: A };

/** Token ids, `[batch, time]`, int32. */
export type BT = Named<tf.Tensor2D, ["batch", "time"]>;
/** Hidden states, `[batch, time, embed]`. */
export type BTE = Named<tf.Tensor3D, ["batch", "time", "embed"]>;
/** Queries, keys and values of all heads side by side, `[batch, time, 3 · embed]`. */
export type BTQKV = Named<tf.Tensor3D, ["batch", "time", "query+key+value"]>;
/** Hidden states of a recurrent layer, `[batch, time, units]`. */
export type BTU = Named<tf.Tensor3D, ["batch", "time", "units"]>;
/** What a recurrent layer's gates are made of, all gates side by side, `[batch, time, gates · units]`. */
export type BTG = Named<tf.Tensor3D, ["batch", "time", "gates"]>;
/** One row a sequence of what a recurrent layer carries from step to step, `[batch, units]`. */
export type BU = Named<tf.Tensor2D, ["batch", "units"]>;
/** One row a token, `[batch · time, embed]`. */
export type NE = Named<tf.Tensor2D, ["token", "embed"]>;
/** One number a token, `[batch · time]`. */
export type N = Named<tf.Tensor1D, ["token"]>;
/** Log-probabilities over the vocabulary, one row a token, `[batch · time, vocab]`. */
export type NV = Named<tf.Tensor2D, ["token", "vocab"]>;

/**
 * Checks a tensor's shape at a module's border.
 *
 * @param where - name of the calling function and argument, for the message.
 * @param expected - one size an axis; `null` accepts any size.
 * @throws {ShapeError} if rank or any fixed size differs.
 */
export function expectShape(where: string, x: tf.Tensor, expected: readonly (number | null)[]): void {
  const fits = x.rank === expected.length && expected.every((n, i) => n === null || n === x.shape[i]);
  if (!fits) throw new ShapeError(where, expected, x.shape);
}
