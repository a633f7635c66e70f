/**
 * @file Recurrent language models: embedding, layers of LSTM or GRU, a projection where sizes differ; with the regularisers of
 * AWD-LSTM (Merity, Keskar and Socher 2018, https://arxiv.org/abs/1708.02182, sections 2 to 4). State goes in and comes out, so a
 * text can be read in pieces. What the hidden states predict is a head's business.
 */
import * as tf from "@tensorflow/tfjs";
import type { LinearParams } from "../../attention/selfAttention.ts";
import { withGradient } from "../../engine/fused.ts";
import { dropout } from "../../engine/ops/dropout.ts";
import { linear } from "../../engine/ops/linear.ts";
import { sharedDropout } from "../../engine/ops/sharedDropout.ts";
import { type RandomKey, threefry } from "../../engine/random.ts";
import type { BT, BTU, BU, NE } from "../../engine/shapes.ts";
import type { RecurrentConfig } from "../config.ts";
import type { Initializer } from "../init.ts";
import { type CellParams, cells } from "./cells.ts";
import { createStateMemory } from "./stateMemory.ts";
import {
  embedTokens,
  type HiddenOptions,
  type HiddenStates,
  type State,
  type Trunk,
  type TrunkParams,
} from "./trunk.ts";

export interface RecurrentParams extends TrunkParams {
  readonly layers: readonly { readonly [K in keyof CellParams]: tf.Variable<tf.Rank> & CellParams[K] }[];
  /** From the last layer to the embedding's size, where they differ. */
  readonly projection?: LinearParams;
}

/** The deviation of PyTorch's uniform ±1/√U. */
const deviationOf = (units: number): number => 1 / Math.sqrt(3 * units);
/** The deviation of uniform ±0.1, AWD-LSTM's embedding. */
const embeddingDeviation = 0.1 / Math.sqrt(3);

function initLayer(config: RecurrentConfig, make: Initializer, index: number): RecurrentParams["layers"][number] {
  const U = config.hiddenSizes[index]!;
  const I = index === 0 ? config.embedSize : config.hiddenSizes[index - 1]!;
  const { gates, forgetGate } = cells[config.kind];
  const normal = (name: string, rows: number) =>
    make.normal<tf.Rank.R2>(`layers.${index}.${name}`, [rows, gates * U], deviationOf(U));
  const forgetBias = config.kind === "lstm" ? config.forgetBias : 0;
  const inputBias = Float32Array.from({ length: gates * U }, (_, i) =>
    Math.floor(i / U) === forgetGate ? forgetBias : 0,
  );
  return {
    inputKernel: normal("inputKernel", I),
    inputBias: make.given<tf.Rank.R1>(inputBias, [gates * U]),
    recurrentKernel: normal("recurrentKernel", U),
    recurrentBias: make.constant<tf.Rank.R1>([gates * U], 0),
  };
}

function initRecurrent(config: RecurrentConfig, make: Initializer): RecurrentParams {
  const { vocabSize: V, embedSize: E, hiddenSizes } = config;
  const last = hiddenSizes.at(-1)!;
  return {
    tokenEmbedding: make.normal("tokenEmbedding", [V, E], embeddingDeviation),
    layers: hiddenSizes.map((_, index) => initLayer(config, make, index)),
    ...(last === E ? {} : { projection: make.linear("projection", last, E, deviationOf(last)) }),
  };
}

/** Zeros: the start of a text. */
function initialState({ kind, hiddenSizes }: RecurrentConfig, rows: number): BU[] {
  return hiddenSizes.flatMap((U) => Array.from({ length: cells[kind].carries }, () => tf.zeros([rows, U]) as BU));
}

/** The regularisers that draw masks, each site with its own; the identity where `key` is absent (evaluation). */
function createMasks(key: RandomKey | undefined) {
  let site = 0;
  const masked = <T extends tf.Tensor>(
    x: T,
    rate: number,
    drop: (x: T, rate: number, key: RandomKey) => tf.Tensor,
  ): T => {
    const siteKey = key && threefry(key, site++, 0);
    return siteKey && rate > 0 ? (drop(x, rate, siteKey) as T) : x;
  };
  return {
    /** One mask a sequence for all its steps. */
    shared: (x: BTU, rate: number): BTU => masked(x, rate, sharedDropout),
    weights: (x: tf.Tensor2D, rate: number): tf.Tensor2D => masked(x, rate, dropout),
    /** Drops words: all embeddings `[N, E]` of a token alike, wherever it stands. */
    words: (x: NE, ids: tf.Tensor1D, vocabSize: number, rate: number): NE =>
      masked(x, rate, (rows, share, siteKey) => {
        const kept = dropout(tf.ones([vocabSize, 1]), share, siteKey); // [V, 1]
        return tf.mul(rows, tf.gather(kept, ids)); // [N, E]
      }),
  };
}

/** `mean((h_t − h_{t−1})²)` over all steps but the first; tfjs's own gradient of slices is slow. */
function meanChange(outputs: BTU): tf.Scalar {
  const [B, T, U] = outputs.shape;
  const forward = ([x]: readonly tf.Tensor[]) => {
    const [later, earlier] = [1, 0].map((from) => tf.slice(x!, [0, from, 0], [B, T - 1, U])); // 2 × [B, T − 1, U]
    const change = tf.sub(later!, earlier!);
    return { value: tf.mean(tf.square(change)), saved: [change] };
  };
  const backward = (dy: tf.Tensor, [change]: readonly tf.Tensor[]): tf.Tensor[] => {
    const slope = tf.mul(change!, tf.mul(dy, 2 / change!.size));
    const nothing = tf.zeros([B, 1, U]);
    return [tf.sub(tf.concat([nothing, slope], 1), tf.concat([slope, nothing], 1))]; // [B, T, U]
  };
  return withGradient([outputs], forward, backward) as tf.Scalar;
}

/** `α · mean(dropped²) + β · mean((h_t − h_{t−1})²)` over the last layer's outputs (section 4.3); nothing where both are 0. */
function penaltyOf(config: RecurrentConfig, outputs: BTU, dropped: BTU): tf.Scalar | undefined {
  const { activationPenalty, temporalPenalty } = config;
  const terms: tf.Scalar[] = [];
  if (activationPenalty > 0) terms.push(tf.mul(tf.mean(tf.square(dropped)), activationPenalty));
  if (temporalPenalty > 0 && outputs.shape[1] > 1) terms.push(tf.mul(meanChange(outputs), temporalPenalty));
  return terms.length > 0 ? tf.addN(terms) : undefined;
}

interface LayersRun {
  readonly outputs: BTU;
  readonly dropped: BTU;
  readonly carried: BU[];
}

function runLayers(
  config: RecurrentConfig,
  params: RecurrentParams,
  input: BTU,
  state: State,
  masks: ReturnType<typeof createMasks>,
): LayersRun {
  const cell = cells[config.kind];
  const carried: BU[] = [];
  let [outputs, dropped] = [input, masks.shared(input, config.inputDropout)];
  for (const [index, layer] of params.layers.entries()) {
    const recurrentKernel = masks.weights(layer.recurrentKernel, config.weightDropout);
    const before = state.slice(index * cell.carries, (index + 1) * cell.carries) as BU[];
    const run = cell.run({ ...layer, recurrentKernel }, dropped, before);
    const last = index === params.layers.length - 1;
    outputs = run.outputs;
    dropped = masks.shared(outputs, last ? config.dropout : config.betweenDropout);
    carried.push(...run.carried);
  }
  return { outputs, dropped, carried };
}

function recurrent(
  config: RecurrentConfig,
  params: RecurrentParams,
  ids: BT,
  { key, state, sharesTable }: HiddenOptions = {},
): HiddenStates {
  const [B, T] = ids.shape;
  const flat = tf.reshape<tf.Rank.R1>(ids, [B * T]);
  const masks = createMasks(key);
  const { rows: words, ...table } = embedTokens(flat, params, sharesTable);
  const tokens = masks.words(words, flat, config.vocabSize, config.embeddingDropout); // [B·T, E]
  const input = tf.reshape<tf.Rank.R3>(tokens, [B, T, config.embedSize]);
  const run = runLayers(config, params, input, state ?? initialState(config, B), masks);
  const rows = tf.reshape<tf.Rank.R2>(run.dropped, [B * T, run.dropped.shape[2]]); // [B·T, U]
  const { projection } = params;
  const hidden = projection ? linear(rows, projection.kernel, projection.bias) : rows; // [B·T, E]
  const penalty = key && penaltyOf(config, run.outputs, run.dropped);
  return { hidden, state: run.carried, ...table, ...(penalty ? { penalty } : {}) };
}

export const recurrentTrunk: Trunk<RecurrentConfig, RecurrentParams> = {
  init: initRecurrent,
  reach: () => Number.POSITIVE_INFINITY,
  initialState,
  hidden: (...args) => tf.tidy(() => recurrent(...args) as never),
  createMemory: (config, params, rows) =>
    createStateMemory(initialState(config, rows), (ids, state) =>
      tf.tidy(() => recurrent(config, params, ids, { state }) as never),
    ),
};
