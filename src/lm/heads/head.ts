/** @file What every output head offers. Heads give log-probabilities, never logits: a mixture has none. */
import type * as tf from "@tensorflow/tfjs";
import type { N, NE, NV } from "../../engine/shapes.ts";
import type { Initializer } from "../init.ts";

/** The rows that turn features into scores, `[V, E]`; a tied model hands its token embedding. */
export type OutputTable = tf.Tensor2D;

/** What a head shows of its inside for one position. */
export interface HeadInsight {
  /** Mixture weights π, `[K]`, sum 1; absent where nothing is mixed. */
  readonly mixture?: tf.Tensor1D;
}

/**
 * One kind of output head: `C` its configuration, `P` its own parameters (the output table is the model's).
 * No function disposes its arguments; the caller owns what is returned.
 */
export interface Head<C, P extends object> {
  init(config: C, embedSize: number, initializer: Initializer): P;
  /** `−log p(target)` in nats, `[N]`, without a `[tokens, vocabulary]` matrix. */
  nll(config: C, params: P, table: OutputTable, hidden: NE, targets: N): N;
  /** `log p`, `[N, V]`, for few positions. */
  logProbs(config: C, params: P, table: OutputTable, hidden: NE): NV;
  /** What the head shows for one position, `hidden` `[1, E]`. The caller owns the tensors. */
  inspect(config: C, params: P, hidden: NE): HeadInsight;
}
