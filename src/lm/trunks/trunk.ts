/** @file What every family of models offers below its head: hidden states from ids. What they predict is a head's business. */
import type * as tf from "@tensorflow/tfjs";
import type { RandomKey } from "../../engine/random.ts";
import type { BT, NE } from "../../engine/shapes.ts";
import type { Initializer } from "../init.ts";

/** What the parameters of every family hold. */
export interface TrunkParams {
  /** A row a token, `[V, E]`; also the output table of a tied model. */
  readonly tokenEmbedding: tf.Variable<tf.Rank.R2>;
}

/** One family: `C` its configuration, `P` its parameters. No function disposes its arguments; the caller owns what is returned. */
export interface Trunk<C, P extends TrunkParams> {
  init(config: C, make: Initializer): P;
  /**
   * Final hidden states of whole texts from their start.
   *
   * @param ids - `[B, T]`, int32.
   * @param key - selects the dropout masks of a training step; absent in evaluation.
   * @returns `[B·T, E]`.
   */
  hidden(config: C, params: P, ids: BT, key?: RandomKey): NE;
}
