/** @file How a transformer tells positions apart, by name: by what is added to tokens, or by what attention sees. */
import * as tf from "@tensorflow/tfjs";
import { rotary } from "../../../engine/ops/rotary.ts";
import type { BTQKV, NE } from "../../../engine/shapes.ts";
import type { TransformerConfig } from "../../config.ts";
import { type Initializer, standardDeviation } from "../../init.ts";

export interface PositionParams {
  readonly positionEmbedding?: tf.Variable<tf.Rank.R2>; // [contextLength, E], where positions are learned
}

interface Positions {
  init(config: TransformerConfig, make: Initializer): PositionParams;
  /** Token features `[B·T, E]` of T tokens from position `start` on, with their positions. */
  add(tokens: NE, params: PositionParams, T: number, start: number): NE;
  /** Queries and keys as attention shall see them. */
  turn(qkv: BTQKV, heads: number, start: number): BTQKV;
}

const plain: Positions = {
  init: () => ({}),
  add: (tokens) => tokens,
  turn: (qkv) => qkv,
};

export const positions = {
  /** A row of a table is added, as in GPT-2. */
  learned: {
    ...plain,
    init: ({ contextLength, embedSize }, make) => ({
      positionEmbedding: make.normal("positionEmbedding", [contextLength, embedSize], standardDeviation),
    }),
    add: (tokens, { positionEmbedding }, T, start) => {
      const all = positionEmbedding!;
      const rows = T === all.shape[0] ? all : tf.slice(all, [start, 0], [T, -1]); // [T, E]
      const [N, E] = tokens.shape;
      return tf.reshape(tf.add(tf.reshape(tokens, [N / T, T, E]), rows), [N, E]);
    },
  },
  /** Attention sees distances (engine/ops/rotary.ts). */
  rotary: { ...plain, turn: rotary },
  /** Attention looks less at what is far away (attention/alibi.ts). */
  alibi: plain,
  /** Only the causal mask tells what came first. */
  none: plain,
} satisfies Record<TransformerConfig["positions"], Positions>;
