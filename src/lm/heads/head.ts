/**
 * @file What every output head offers. Heads give log-probabilities, never logits: a mixture has none.
 *
 * A head turns features into a distribution through the model's output layer, `z = s h Wᵀ + b`, which a tied model shares with
 * its token embedding. No function disposes its arguments; the caller owns what is returned.
 */
import type * as tf from "@tensorflow/tfjs";
import type { N, NE, NV } from "../../engine/shapes.ts";
import type { Initializer } from "../init.ts";
import type { LossOptions } from "./config.ts";

/** The linear map from features to scores. */
export interface OutputLayer {
  /** W, one row a token, `[V, E]`; a tied model hands its token embedding. */
  readonly table: tf.Tensor2D;
  /** b, `[V]`; absent where the model has none. */
  readonly bias?: tf.Tensor1D;
  /** c: scores become `c·tanh(z/c)`; 0 = no cap. */
  readonly softcap: number;
  /** s: features are multiplied by it, `z = s h Wᵀ + b`. */
  readonly scale: number;
}

/** A head at work: its configuration `C`, its own parameters `P` and the model's output layer. */
export interface HeadParts<C, P> {
  readonly config: C;
  readonly params: P;
  readonly output: OutputLayer;
}

/** What a head shows of its inside for one position. */
export interface HeadInsight {
  /** Mixture weights π, `[K]`, sum 1; absent where nothing is mixed. */
  readonly mixture?: tf.Tensor1D;
  /** Probabilities of the short list and of each cluster, sum 1; absent where there are none. */
  readonly clusters?: tf.Tensor1D;
}

/** Sizes that a head's own parameters depend on. */
export interface HeadSizes {
  readonly embedSize: number;
  readonly vocabSize: number;
}

/** One kind of output head: `C` its configuration, `P` its own parameters. */
export interface Head<C, P extends object> {
  init(config: C, sizes: HeadSizes, make: Initializer): P;
  /** `−log p(target)` in nats, `[N]`, without a `[tokens, vocabulary]` matrix. */
  nll(parts: HeadParts<C, P>, hidden: NE, targets: N): N;
  /** What training minimises, in nats, `[N]`: `nll` where every option is 0. The matrix does not exist here either. */
  loss(parts: HeadParts<C, P>, hidden: NE, targets: N, options: LossOptions): N;
  /** `log p`, `[N, V]`, for few positions. */
  logProbs(parts: HeadParts<C, P>, hidden: NE): NV;
  /** What the head shows for one position, `hidden` `[1, E]`: a few numbers. The caller owns the tensors. */
  inspect(parts: HeadParts<C, P>, hidden: NE): HeadInsight;
  /** `log π` of the components that are mixed, `[N, K]`, owned by the caller; absent where nothing is mixed. */
  logWeights?(parts: HeadParts<C, P>, hidden: NE): tf.Tensor2D;
  /**
   * What stands beside the final distribution at one position, `hidden` `[1, E]`: the `log p_k` of each of K softmaxes that
   * are mixed, `[K, V]`; of independent sigmoids `log σ(z)`, `[1, V]`. Absent where there is nothing of the kind.
   */
  components?(parts: HeadParts<C, P>, hidden: NE): NV;
}
