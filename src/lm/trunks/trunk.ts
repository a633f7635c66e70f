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

/**
 * What a family keeps of texts that it reads bit by bit, so that the next token costs one position: rows side by side, all of
 * one length. Whoever made it disposes it.
 */
export interface Memory {
  /** Tokens read so far, in every row. */
  readonly length: number;
  /**
   * Reads what follows.
   *
   * @param ids - `[B, T]`, int32, a row for each row of the memory. Not disposed.
   * @returns final hidden states of these positions, `[B·T, E]`, owned by the caller.
   */
  read(ids: BT): NE;
  /** Forgets what comes after the first `length` tokens, or more where no such state is kept: `length` then says how many stayed. */
  cut(length: number): void;
  /** Goes on with these rows, by index: some may come twice, others go. */
  select(rows: readonly number[]): void;
  dispose(): void;
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
  /** Most tokens that a memory holds: the context length; Infinity where a state of fixed size stands for any past. */
  reach(config: C): number;
  /** A memory of `rows` texts that are empty yet. */
  createMemory(config: C, params: P, rows: number): Memory;
}
