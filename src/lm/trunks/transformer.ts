/**
 * @file A decoder-only transformer: pre-norm blocks of causal attention and feed-forward. By default GPT-2's (Radford et al. 2019):
 * learned positions, layer norm, GELU; norms, feed-forwards and positions by name stand in transformer/. It gives hidden
 * states; what they predict is a head's business.
 */
import * as tf from "@tensorflow/tfjs";
import { type SelfAttentionParams, selfAttention } from "../../attention/selfAttention.ts";
import { causalAttention } from "../../engine/ops/causalAttention.ts";
import { dropout } from "../../engine/ops/dropout.ts";
import { embed } from "../../engine/ops/embed.ts";
import { type RandomKey, threefry } from "../../engine/random.ts";
import type { BT, BTE, BTQKV, NE } from "../../engine/shapes.ts";
import type { TransformerConfig } from "../config.ts";
import { type Initializer, standardDeviation } from "../init.ts";
import { createKeyValueMemory, type KeyValueSizes } from "./keyValueMemory.ts";
import { type FeedForwardParams, feedForwardSizeOf, feedForwards } from "./transformer/feedForwards.ts";
import { type NormParams, norms } from "./transformer/norms.ts";
import { type PositionParams, positions } from "./transformer/positions.ts";
import type { LayerStates, Trunk, TrunkParams } from "./trunk.ts";

interface BlockParams {
  readonly attentionNorm: NormParams;
  readonly attention: SelfAttentionParams;
  readonly feedForwardNorm: NormParams;
  readonly feedForward: FeedForwardParams;
}

export interface TransformerParams extends TrunkParams, PositionParams {
  readonly blocks: readonly BlockParams[];
  readonly finalNorm: NormParams;
}

/** Fresh parameters; maps that feed a residual sum are scaled by `1/√(2L)`. */
function initTransformer(config: TransformerConfig, make: Initializer): TransformerParams {
  const { vocabSize: V, embedSize: E, layers: L } = config;
  const F = feedForwardSizeOf(config);
  const residual = standardDeviation / Math.sqrt(2 * L);
  const norm = (): NormParams => norms[config.norm].init(E, make);
  const block = (name: string): BlockParams => ({
    attentionNorm: norm(),
    attention: {
      qkv: make.linear(`${name}.attention.qkv`, E, 3 * E, standardDeviation),
      output: make.linear(`${name}.attention.output`, E, E, residual),
    },
    feedForwardNorm: norm(),
    feedForward: feedForwards[config.feedForward].init(`${name}.feedForward`, { E, F, residual }, make),
  });
  return {
    tokenEmbedding: make.normal("tokenEmbedding", [V, E], standardDeviation),
    ...positions[config.positions].init(config, make),
    blocks: Array.from({ length: L }, (_, i) => block(`blocks.${i}`)),
    finalNorm: norm(),
  };
}

/** Dropout at numbered sites, each with its own mask; the identity where `key` is absent (evaluation). */
function createDropout(rate: number, key: RandomKey | undefined): <T extends tf.Tensor>(x: T) => T {
  let site = 0;
  return (x) => (key && rate > 0 ? dropout(x, rate, threefry(key, site++, 0)) : x);
}

/** How a text is read. */
interface Reading {
  /** Attention of a layer, by its index. */
  readonly attend: (qkv: BTQKV, layer: number) => BTE;
  /** Position of the first token. */
  readonly start: number;
  /** Selects the dropout masks of a training step; absent in evaluation. */
  readonly key?: RandomKey | undefined;
  /** Told of the residual stream, `[B·T, E]`: the embeddings, then after each block. */
  readonly watch?: (x: NE) => void;
}

/**
 * Final hidden states, one a token.
 *
 * @param ids - `[B, T]`, int32; `start + T` is at most the context length. Not disposed.
 * @returns `[B·T, E]`, owned by the caller.
 */
function transformer(config: TransformerConfig, params: TransformerParams, ids: BT, reading: Reading): NE {
  const [B, T] = ids.shape;
  const { attend, start, key, watch } = reading;
  if (start + T > config.contextLength)
    throw new RangeError(`transformer: at most ${config.contextLength} tokens fit the context, got ${start + T}`);
  return tf.tidy(() => {
    const drop = createDropout(config.dropout, key);
    const norm = norms[config.norm].apply;
    const feedForward = feedForwards[config.feedForward].apply;
    const { add, turn } = positions[config.positions];
    // Without dropout in between, the residual sum is the last step of the product itself.
    const addTo = (x: NE, branch: (residual?: NE) => NE): NE =>
      key && config.dropout > 0 ? tf.add(x, drop(branch())) : branch(x);
    const tokens = embed(tf.reshape(ids, [B * T]), params.tokenEmbedding); // [B·T, E]
    let x = drop(add(tokens, params, T, start)); // [B·T, E]
    watch?.(x);
    for (const [layer, block] of params.blocks.entries()) {
      const input = norm(x, block.attentionNorm); // [B·T, E]
      const look = (qkv: BTQKV): BTE => attend(turn(qkv, config.heads, start), layer);
      x = addTo(x, (residual) => selfAttention(block.attention, input, B, look, residual));
      const normed = norm(x, block.feedForwardNorm); // [B·T, E]
      x = addTo(x, (residual) => feedForward(normed, block.feedForward, residual));
      watch?.(x);
    }
    return norm(x, params.finalNorm);
  });
}

const cacheSizes = ({ layers, heads, embedSize, contextLength }: TransformerConfig): KeyValueSizes => ({
  layers,
  heads,
  headSize: embedSize / heads,
  capacity: contextLength,
});

/** Each layer's residual stream through the final norm, and what its attention is given. */
function inspectLayers(config: TransformerConfig, params: TransformerParams, ids: BT): LayerStates {
  const states: NE[] = [];
  const kept: BTQKV[] = [];
  const attend = (qkv: BTQKV): BTE => {
    kept.push(tf.keep(tf.clone(qkv)));
    return causalAttention(qkv, config.heads);
  };
  const watch = (x: NE): void => void states.push(tf.keep(norms[config.norm].apply(x, params.finalNorm)));
  transformer(config, params, ids, { attend, start: 0, watch }).dispose();
  return { states, qkv: kept };
}

export const transformerTrunk: Trunk<TransformerConfig, TransformerParams> = {
  init: initTransformer,
  initialState: () => [],
  hidden: (config, params, ids, { key } = {}) => {
    const attend = (qkv: BTQKV): BTE => causalAttention(qkv, config.heads);
    return { hidden: transformer(config, params, ids, { attend, start: 0, key }), state: [] };
  },
  reach: (config) => config.contextLength,
  inspectLayers,
  createMemory: (config, params, rows) =>
    createKeyValueMemory(cacheSizes(config), rows, (ids, start, attend) =>
      transformer(config, params, ids, { attend, start }),
    ),
};
