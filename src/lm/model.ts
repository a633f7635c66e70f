/** @file A language model: a trunk that gives hidden states and a head that gives log-probabilities. Knows no text. */
import * as tf from "@tensorflow/tfjs";
import { countParams, disposeParams } from "../engine/params.ts";
import type { RandomKey } from "../engine/random.ts";
import type { BT, N, NE, NV } from "../engine/shapes.ts";
import type { ModelConfig } from "./config.ts";
import { headParts } from "./headParts.ts";
import type { LossOptions } from "./heads/config.ts";
import { expectDefined } from "./heads/loss.ts";
import { headOf } from "./heads/table.ts";
import { createBlankInitializer, createInitializer, type Initializer, standardDeviation } from "./init.ts";
import { createReader } from "./reader.ts";
import { trunkOf } from "./trunks/table.ts";
import type { HiddenOptions, State, TrunkParams } from "./trunks/trunk.ts";

/** The whole parameter tree; its paths name the tensors of a checkpoint. */
export interface ModelParams {
  readonly trunk: TrunkParams;
  readonly head: object;
  /** What the output layer has beside the token embedding: a table of its own where untied, a bias. */
  readonly output: { readonly table?: tf.Variable<tf.Rank.R2>; readonly bias?: tf.Variable<tf.Rank.R1> };
}

/** What comes next after some text, in plain data. */
export interface NextToken {
  /** Natural logarithms of the probabilities, `[V]`. */
  readonly logProbs: Float32Array;
  /** Mixture weights π, sum 1, where the head mixes. */
  readonly mixture?: readonly number[];
  /** Probabilities of the short list and of each cluster, sum 1, where the head has clusters. */
  readonly clusters?: readonly number[];
  /** The text was longer than the context, so only its end was seen. */
  readonly windowed: boolean;
}

export interface LossesOptions extends HiddenOptions {
  /** What training minimises; plain `−log p` where absent. */
  readonly training?: LossOptions;
}

/** What texts, or pieces of texts, cost; all tensors owned by the caller. */
export interface Losses {
  /** In nats, `[B·T]`; differentiable in the parameters. */
  readonly losses: N;
  /** What the texts' next pieces go on from; a constant to gradients. */
  readonly state: State;
  /** What regularisers of activations add to a training step's mean loss. */
  readonly penalty?: tf.Scalar;
}

/** A model with its parameters; whoever made it disposes it. */
export interface LanguageModel {
  readonly config: ModelConfig;
  readonly params: ModelParams;
  readonly parameterCount: number;
  /**
   * `−log p(target)` in nats, `[B·T]`, owned by the caller; differentiable in the parameters.
   *
   * @param inputs - `[B, T]`, int32. Not disposed.
   * @param targets - `[B, T]`, int32: what follows each input token.
   * @param key - selects the dropout masks of a training step; absent in evaluation.
   */
  nll(inputs: BT, targets: BT, key?: RandomKey): N;
  /**
   * What training minimises: `nll` with label smoothing and z-loss, where they are not 0. Otherwise as `nll`.
   *
   * @throws {SandboxError} if the head does not define an option that is asked for.
   */
  loss(inputs: BT, targets: BT, options: LossOptions, key?: RandomKey): N;
  /** The losses of texts, or of pieces that go on from a state, with the state after them. Otherwise as `nll` and `loss`. */
  losses(inputs: BT, targets: BT, options?: LossesOptions): Losses;
  /** What `rows` texts start from, owned by the caller; empty for families that carry nothing. */
  initialState(rows: number): State;
  /** Final hidden states, `[B·T, E]`, owned by the caller. Arguments as in `nll`. */
  hidden(inputs: BT, key?: RandomKey): NE;
  /** `log p` over the vocabulary for rows of hidden states, `[N, V]`, owned by the caller: a few rows at a time. */
  logProbs(hidden: NE): NV;
  /** The distribution after `ids`, read anew; a reader goes on where it was. @throws {SandboxError} for no ids at all. */
  next(ids: readonly number[]): Promise<NextToken>;
  dispose(): void;
}

/** A model with fresh parameters, a pure function of `config` and `seed`. */
export const createModel = (config: ModelConfig, seed: number): LanguageModel =>
  assembleModel(config, createInitializer(seed));

/** A model whose parameters are about to be read from a file: quick to make, and good for nothing until then. */
export const createBlankModel = (config: ModelConfig): LanguageModel => assembleModel(config, createBlankInitializer());

function assembleModel(config: ModelConfig, make: Initializer): LanguageModel {
  const trunk = trunkOf(config);
  const head = headOf(config.head);
  const params = initParams(config, make);
  const parts = headParts({ config, params });
  const hidden = (ids: BT, key?: RandomKey): NE =>
    tf.tidy(() => trunk.hidden(config, params.trunk, ids, { key }).hidden);
  const flat = (targets: BT): N => tf.reshape(targets, [targets.size]);
  return {
    config,
    params,
    parameterCount: countParams(params),
    nll: (inputs, targets, key) => tf.tidy(() => head.nll(parts, hidden(inputs, key), flat(targets))),
    loss: (inputs, targets, options, key) => {
      expectDefined(config.head, options);
      return tf.tidy(() => head.loss(parts, hidden(inputs, key), flat(targets), options));
    },
    losses: (inputs, targets, { training, ...options } = {}) => {
      if (training) expectDefined(config.head, training);
      return tf.tidy(() => {
        const sharing = { ...options, sharesTable: config.output.tied };
        const { hidden: rows, table, ...rest } = trunk.hidden(config, params.trunk, inputs, sharing);
        const use = table ? { ...parts, output: { ...parts.output, table } } : parts;
        const losses = training ? head.loss(use, rows, flat(targets), training) : head.nll(use, rows, flat(targets));
        return { losses, ...rest } as never;
      });
    },
    initialState: (rows) => trunk.initialState(config, rows),
    hidden,
    logProbs: (states) => head.logProbs(parts, states),
    next: async (ids) => {
      const reader = createReader({ config, params });
      return reader.next(ids).finally(reader.dispose);
    },
    dispose: () => disposeParams(params),
  };
}

/** The tree of a configuration's parameters, made by `make`. */
export const initParams = (config: ModelConfig, make: Initializer): ModelParams => ({
  trunk: trunkOf(config).init(config, make),
  head: headOf(config.head).init(config.head, config, make),
  output: initOutput(config, make),
});

function initOutput({ output, vocabSize: V, embedSize: E }: ModelConfig, make: Initializer): ModelParams["output"] {
  return {
    ...(output.tied ? {} : { table: make.normal("output.table", [V, E], standardDeviation) }),
    ...(output.bias ? { bias: make.constant([V], 0) } : {}),
  };
}
