/** @file What every family of models offers below its head: hidden states from ids. What they predict is a head's business. */
import type * as tf from "@tensorflow/tfjs";
import type { AttentionForm } from "../../attention/attend.ts";
import { embed, embedTied } from "../../engine/ops/embed.ts";
import type { RandomKey } from "../../engine/random.ts";
import type { BT, BTQKV, N, NE } from "../../engine/shapes.ts";
import type { Initializer } from "../init.ts";

/** What the parameters of every family hold. */
export interface TrunkParams {
  /** A row a token, `[V, E]`; also the output table of a tied model. */
  readonly tokenEmbedding: tf.Variable<tf.Rank.R2>;
}

/**
 * What a family carries from one piece of a text to the next: tensors with a row a text, `[B, …]`. None for families that see
 * each piece on its own. To gradients it is a constant.
 */
export type State = readonly tf.Tensor[];

export interface HiddenOptions {
  /** Selects the dropout masks of a training step; absent in evaluation. */
  readonly key?: RandomKey | undefined;
  /** After the text before; absent at the start of a text. */
  readonly state?: State | undefined;
  /** Asks for `table`, so that both uses of the token embedding have one gradient (engine/ops/embed.ts, `embedTied`). */
  readonly sharesTable?: boolean;
}

export interface HiddenStates {
  /** One row a token, `[B·T, E]`. */
  readonly hidden: NE;
  /** After the last token. */
  readonly state: State;
  /** The token embedding for the output layer of a tied model to go on with; present where it was asked for. */
  readonly table?: tf.Tensor2D;
  /** What a regulariser of activations adds to the training loss, in nats per token; absent where there is none. */
  readonly penalty?: tf.Scalar;
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

/** What one text leaves in every layer; the caller owns the tensors. */
export interface LayerStates {
  /** The residual stream of each layer, embeddings first, as the final normalisation would hand it to a head: `[T, E]`. */
  readonly states: readonly NE[];
  /** Queries, keys and values of each layer, as attention is given them: `[1, T, 3E]`. */
  readonly qkv: readonly BTQKV[];
  /** What attention makes of them. */
  readonly form: AttentionForm;
}

/** Embeddings of ids, `[N, E]`, and the table to go on with where it is asked for. */
export const embedTokens = (ids: N, params: TrunkParams, sharesTable = false): { rows: NE; table?: tf.Tensor2D } =>
  sharesTable ? embedTied(ids, params.tokenEmbedding) : { rows: embed(ids, params.tokenEmbedding) };

/** One family: `C` its configuration, `P` its parameters. No function disposes its arguments; the caller owns what is returned. */
export interface Trunk<C, P extends TrunkParams> {
  init(config: C, make: Initializer): P;
  /** The state at the start of `rows` texts. */
  initialState(config: C, rows: number): State;
  /**
   * Final hidden states of texts, or of pieces that go on from a state.
   *
   * @param ids - `[B, T]`, int32.
   */
  hidden(config: C, params: P, ids: BT, options?: HiddenOptions): HiddenStates;
  /** Most tokens that a memory holds: the context length; Infinity where a state of fixed size stands for any past. */
  reach(config: C): number;
  /** A memory of `rows` texts that are empty yet. */
  createMemory(config: C, params: P, rows: number): Memory;
  /** The inside of one text, `ids` `[1, T]`, for whoever wants to look; absent in families without such layers. */
  inspectLayers?(config: C, params: P, ids: BT): LayerStates;
}
