/**
 * @file A decoder-only transformer: pre-norm blocks of causal attention and feed-forward. By default GPT-2's (Radford et al. 2019):
 * learned positions, layer norm, GELU; norms, feed-forwards and positions by name stand in transformer/, forms of attention in attention/. It gives hidden
 * states; what they predict is a head's business.
 */
import * as tf from "@tensorflow/tfjs";
import { type AttentionForm, attend, attendCached, repeatKeyValues } from "../../attention/attend.ts";
import { type SelfAttentionParams, selfAttention } from "../../attention/selfAttention.ts";
import { dropout } from "../../engine/ops/dropout.ts";
import { type RandomKey, threefry } from "../../engine/random.ts";
import type { BT, BTE, BTQKV, NE } from "../../engine/shapes.ts";
import type { TransformerConfig } from "../config.ts";
import { type Initializer, standardDeviation } from "../init.ts";
import { type AttendNew, createKeyValueMemory, type KeyValueSizes } from "./keyValueMemory.ts";
import { type FeedForwardParams, feedForwardSizeOf, feedForwards } from "./transformer/feedForwards.ts";
import { type NormParams, norms } from "./transformer/norms.ts";
import { type PositionParams, positions } from "./transformer/positions.ts";
import { embedTokens, type LayerStates, type Trunk, type TrunkParams } from "./trunk.ts";

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

/** How the heads of a model look at a text. */
const attentionFormOf = (config: TransformerConfig): AttentionForm => ({
  heads: config.heads,
  keyValueHeads: config.keyValueHeads ?? config.heads,
  normaliser: config.attention,
  alibi: config.positions === "alibi",
  window: config.window,
});

/** Fresh parameters; maps that feed a residual sum are scaled by `1/√(2L)`. */
function initTransformer(config: TransformerConfig, make: Initializer): TransformerParams {
  const { vocabSize: V, embedSize: E, layers: L } = config;
  const F = feedForwardSizeOf(config);
  const { heads, keyValueHeads } = attentionFormOf(config);
  const qkvSize = E + (2 * keyValueHeads * E) / heads; // (H + 2G) D
  const residual = standardDeviation / Math.sqrt(2 * L);
  const norm = (): NormParams => norms[config.norm].init(E, make);
  const block = (name: string): BlockParams => ({
    attentionNorm: norm(),
    attention: {
      qkv: make.linear(`${name}.attention.qkv`, E, qkvSize, standardDeviation),
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
function createDropout(key: RandomKey | undefined): <T extends tf.Tensor>(x: T, rate: number) => T {
  let site = 0;
  return (x, rate) => (key && rate > 0 ? dropout(x, rate, threefry(key, site++, 0)) : x);
}

/** Attention of a layer, by its index; `change` is what becomes of its weights in a training step. */
type AttendLayer = (qkv: BTQKV, layer: number, change?: (weights: tf.Tensor4D) => tf.Tensor4D) => BTE;

/** How a text is read. */
interface Reading {
  /** Embeddings of the tokens, `[B·T, E]`; looked up where absent. */
  readonly tokens?: NE;
  readonly attend: AttendLayer;
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
  const { attend: attendLayer, start, key, watch } = reading;
  const form = attentionFormOf(config);
  if (start + T > config.contextLength)
    throw new RangeError(`transformer: at most ${config.contextLength} tokens fit the context, got ${start + T}`);
  return tf.tidy(() => {
    const dropAt = createDropout(key);
    const drop = (x: NE): NE => dropAt(x, config.dropout);
    const dropWeights = (weights: tf.Tensor4D): tf.Tensor4D => dropAt(weights, config.attentionDropout);
    const norm = norms[config.norm].apply;
    const feedForward = feedForwards[config.feedForward].apply;
    const { add, turn } = positions[config.positions];
    // Without dropout in between, the residual sum is the last step of the product itself.
    const addTo = (x: NE, branch: (residual?: NE) => NE): NE =>
      key && config.dropout > 0 ? tf.add(x, drop(branch())) : branch(x);
    const tokens = reading.tokens ?? embedTokens(tf.reshape(ids, [B * T]), params).rows; // [B·T, E]
    let x = drop(add(tokens, params, T, start)); // [B·T, E]
    watch?.(x);
    for (const [layer, block] of params.blocks.entries()) {
      const input = norm(x, block.attentionNorm); // [B·T, E]
      const look = (qkv: tf.Tensor3D): BTE => {
        const turned = turn(repeatKeyValues(qkv, form), config.heads, start); // [B, T, 3E]
        return attendLayer(turned, layer, key && config.attentionDropout > 0 ? dropWeights : undefined);
      };
      x = addTo(x, (residual) => selfAttention(block.attention, input, B, look, residual));
      const normed = norm(x, block.feedForwardNorm); // [B·T, E]
      x = addTo(x, (residual) => feedForward(normed, block.feedForward, residual));
      watch?.(x);
    }
    return norm(x, params.finalNorm);
  });
}

const cacheSizes = ({ layers, heads, keyValueHeads, embedSize, contextLength }: TransformerConfig): KeyValueSizes => ({
  layers,
  heads: keyValueHeads ?? heads,
  headSize: embedSize / heads,
  capacity: contextLength,
});

/** Each layer's residual stream through the final norm, and what its attention is given. */
function inspectLayers(config: TransformerConfig, params: TransformerParams, ids: BT): LayerStates {
  const states: NE[] = [];
  const kept: BTQKV[] = [];
  const form = attentionFormOf(config);
  const attendAndKeep = (qkv: BTQKV): BTE => {
    kept.push(tf.keep(tf.clone(qkv)));
    return attend(qkv, form);
  };
  const watch = (x: NE): void => void states.push(tf.keep(norms[config.norm].apply(x, params.finalNorm)));
  transformer(config, params, ids, { attend: attendAndKeep, start: 0, watch }).dispose();
  return { states, qkv: kept, form };
}

export const transformerTrunk: Trunk<TransformerConfig, TransformerParams> = {
  init: initTransformer,
  initialState: () => [],
  hidden: (config, params, ids, { key, sharesTable } = {}) =>
    tf.tidy(() => {
      const form = attentionFormOf(config);
      const attendLayer: AttendLayer = (qkv, _layer, change) => attend(qkv, form, change);
      const { rows: tokens, ...table } = embedTokens(tf.reshape(ids, [ids.size]), params, sharesTable);
      const hidden = transformer(config, params, ids, { attend: attendLayer, start: 0, key, tokens });
      return { hidden, state: [], ...table } as never;
    }),
  reach: (config) => config.contextLength,
  inspectLayers,
  createMemory: (config, params, rows) => {
    const form = attentionFormOf(config);
    const attendNew: AttendNew = (qkv, cache, start) => attendCached(qkv, cache, start, form);
    return createKeyValueMemory(cacheSizes(config), rows, attendNew, (ids, start, attendLayer) =>
      transformer(config, params, ids, { attend: attendLayer, start }),
    );
  },
};
