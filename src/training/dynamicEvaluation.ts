/**
 * @file Dynamic evaluation: a model that goes on learning from the text it is judged on, each piece only after it was predicted.
 *
 * Krause, Kahembwe, Murray and Renals 2018, https://arxiv.org/abs/1709.07432, section 4, with the plain gradient:
 * `θ ← θ − η ∇L(s) + λ (θ₀ − θ)`, where `L(s)` is the mean loss of the piece just read and `θ₀` the trained parameters.
 */
import { setImmediate } from "node:timers/promises";
import * as tf from "@tensorflow/tfjs";
import { SandboxError } from "../engine/errors.ts";
import { namedVariables } from "../engine/params.ts";
import type { LanguageModel } from "../lm/model.ts";
import type { State } from "../lm/trunks/trunk.ts";
import type { Batch } from "../text/batches.ts";
import { contiguousEvaluationBatches } from "../text/contiguous.ts";
import type { Evaluation, EvaluationOptions } from "./evaluation.ts";
import { batchTensors } from "./tensors.ts";

export interface DynamicOptions extends Pick<EvaluationOptions, "ids" | "tokenBytes" | "onProgress"> {
  /** η, at least 0. */
  readonly rate: number;
  /** λ, in [0, 1]: which share of the way back to the trained parameters each step goes. */
  readonly decay: number;
}

/**
 * Mean loss of the whole text, read in order in pieces of the context's length; each piece counts before the step on it.
 * The model's parameters change meanwhile and stand as before at the end, also after an error.
 *
 * @throws {SandboxError} for a rate or decay out of range, and where the steps lead to a loss that is no number.
 */
export async function evaluateDynamically(model: LanguageModel, options: DynamicOptions): Promise<Evaluation> {
  expectRates(options);
  const { ids, tokenBytes, onProgress } = options;
  const variables = [...namedVariables(model.params).values()];
  const trained = variables.map((variable) => tf.clone(variable));
  let [nats, tokens, bytes] = [0, 0, 0];
  let state: State = [];
  try {
    for (const batch of contiguousEvaluationBatches(ids, { batchSize: 1, contextLength: model.config.contextLength })) {
      const read = readPiece(model, variables, batch, state);
      tf.dispose([...state]);
      state = read.state;
      for (const loss of await read.losses.data()) nats += loss;
      if (Number.isFinite(nats)) step(variables, trained, read.gradients, options);
      tf.dispose([read.losses, ...read.gradients.filter((gradient) => gradient !== null)]);
      if (!Number.isFinite(nats)) throw ranAway(tokens, options);
      tokens += batch.targets.length;
      for (const id of batch.targets) bytes += tokenBytes[id]!;
      onProgress?.(tokens);
      await setImmediate();
    }
  } finally {
    for (const [i, variable] of variables.entries()) variable.assign(trained[i]!);
    tf.dispose([...trained, ...state]);
  }
  return { nats: nats / tokens, perplexity: Math.exp(nats / tokens), bitsPerByte: nats / (Math.LN2 * bytes), tokens };
}

/** What came of one rate. */
export interface TriedRate {
  readonly rate: number;
  /** Nats per token; infinite where the steps ran away. */
  readonly nats: number;
}

/** Evaluates with every rate in turn. The best of them is for *other* text: on this one its loss is too good to be true. */
export async function tryRates(
  model: LanguageModel,
  rates: readonly number[],
  options: Omit<DynamicOptions, "rate">,
): Promise<TriedRate[]> {
  const tried: TriedRate[] = [];
  for (const rate of rates) {
    const nats = await evaluateDynamically(model, { ...options, rate }).then(
      (evaluation) => evaluation.nats,
      (error: unknown) => {
        if (error instanceof SandboxError) return Number.POSITIVE_INFINITY;
        throw error;
      },
    );
    tried.push({ rate, nats });
  }
  return tried;
}

function expectRates({ rate, decay }: DynamicOptions): void {
  if (!(rate >= 0 && Number.isFinite(rate)))
    throw new SandboxError(`dynamic rate: must be a number of at least 0, got ${rate}`, "Try 0.01.");
  if (!(decay >= 0 && decay <= 1))
    throw new SandboxError(`dynamic decay: must lie from 0 to 1, got ${decay}`, "Try 0.001.");
}

function ranAway(tokens: number, { rate }: DynamicOptions): SandboxError {
  return new SandboxError(
    `dynamic evaluation: the loss must stay a number, but was none after ${tokens} tokens at rate ${rate}`,
    "Use a smaller rate.",
  );
}

interface Piece {
  /** `[T]`, nats. */
  readonly losses: tf.Tensor;
  /** Of the mean loss, in the variables' order; none where a variable has no part in it. */
  readonly gradients: (tf.Tensor | null)[];
  /** After the piece. */
  readonly state: State;
}

/** A piece's losses, gradients and state, all owned by the caller. */
function readPiece(model: LanguageModel, variables: tf.Variable[], batch: Batch, before: State): Piece {
  const kept: tf.Tensor[] = [];
  const gradients = tf.tidy(() => {
    const { grads } = tf.variableGrads(() => {
      const read = model.losses(...batchTensors(batch), { state: batch.continues ? before : undefined });
      kept.push(...[read.losses, ...read.state].map((tensor) => tf.keep(tf.clone(tensor))));
      return tf.mean<tf.Scalar>(read.losses);
    }, variables);
    return variables.map(({ name }) => grads[name] ?? null) as never;
  }) as (tf.Tensor | null)[];
  const [losses, ...state] = kept as [tf.Tensor, ...tf.Tensor[]];
  return { losses, gradients, state };
}

/** `θ ← θ − η g + λ (θ₀ − θ)` */
function step(
  variables: readonly tf.Variable[],
  trained: readonly tf.Tensor[],
  gradients: Piece["gradients"],
  { rate, decay }: DynamicOptions,
): void {
  for (const [i, variable] of variables.entries()) {
    const gradient = gradients[i];
    if (!gradient) continue;
    tf.tidy(() => {
      const back = tf.mul(tf.sub(trained[i]!, variable), decay);
      const moved = tf.sub(variable, tf.mul(gradient, rate));
      variable.assign(tf.add(moved, back));
    });
  }
}
