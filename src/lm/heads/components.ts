/** @file What mixtures are made of: K maps of the features and a gate that weighs them, `h_k = tanh(U_k h + c_k)`, `π = softmax(G h)`. */
import * as tf from "@tensorflow/tfjs";
import type { LinearParams } from "../../attention/selfAttention.ts";
import { linear, linearTanh } from "../../engine/ops/linear.ts";
import type { NE } from "../../engine/shapes.ts";
import { type Initializer, standardDeviation } from "../init.ts";
import type { MixtureConfig } from "./config.ts";
import type { HeadSizes } from "./head.ts";

export interface MixtureParams {
  /** U and c of every component side by side, `[E, K·E]`. */
  readonly projection: LinearParams;
  /** G, `[E, K]`, without bias. */
  readonly gate: { readonly kernel: tf.Variable<tf.Rank.R2> };
}

export const initMixture = (
  { mixtures: K }: MixtureConfig,
  { embedSize: E }: HeadSizes,
  make: Initializer,
): MixtureParams => ({
  projection: make.linear("head.projection", E, K * E, 1 / Math.sqrt(E)),
  gate: { kernel: make.normal("head.gate.kernel", [E, K], standardDeviation) },
});

/** `log π`, `[N, K]`. */
export const logWeights = (params: MixtureParams, hidden: NE): tf.Tensor2D =>
  tf.logSoftmax(linear(hidden, params.gate.kernel)) as tf.Tensor2D;

/** `h_k`, the K rows of a token below each other: `[N·K, E]`. */
export function components({ mixtures: K }: MixtureConfig, params: MixtureParams, hidden: NE): NE {
  const [rows, E] = hidden.shape;
  const projected = linearTanh(hidden, params.projection.kernel, params.projection.bias); // [N, K·E]
  return tf.reshape(projected, [rows * K, E]);
}

/** π of one position, `[K]`. */
export const mixtureWeights = ({ mixtures }: MixtureConfig, params: MixtureParams, hidden: NE): tf.Tensor1D =>
  tf.tidy(() => tf.reshape(tf.exp(logWeights(params, hidden)), [mixtures]));
