/** @file Loss on held-out text, in nats per token, perplexity and bits per byte. */
import { setImmediate } from "node:timers/promises";
import * as tf from "@tensorflow/tfjs";
import type { LanguageModel, Losses } from "../lm/model.ts";
import type { State } from "../lm/trunks/trunk.ts";
import { evaluationBatches } from "../text/batches.ts";
import { contiguousEvaluationBatches } from "../text/contiguous.ts";
import { batchTensors } from "./tensors.ts";

export interface Evaluation {
  /** Nats per token. */
  readonly nats: number;
  /** `exp(nats)`. */
  readonly perplexity: number;
  /** `Σ nats / (ln 2 · bytes)`: the one figure that compares tokenizers. */
  readonly bitsPerByte: number;
  readonly tokens: number;
}

export interface EvaluationOptions {
  readonly ids: Int32Array;
  /** Bytes of every token, by id. */
  readonly tokenBytes: Int32Array;
  readonly batchSize: number;
  /** At most so many tokens, spread evenly; all of them where absent. */
  readonly maxTokens?: number;
  readonly signal?: AbortSignal;
  /** Told after each batch how many tokens have been predicted. */
  readonly onProgress?: (tokens: number) => void;
}

/** Whether a model carries anything from one piece of text to the next. */
function carries(model: LanguageModel): boolean {
  const state = model.initialState(1);
  tf.dispose([...state]);
  return state.length > 0;
}

/**
 * Mean loss; each target is predicted once. Models that carry a state read the text on in long rows, others in windows that each
 * begin anew. Sums run in float64.
 */
export async function evaluate(model: LanguageModel, options: EvaluationOptions): Promise<Evaluation> {
  const { ids, tokenBytes, batchSize, maxTokens, signal, onProgress } = options;
  const { contextLength } = model.config;
  let [nats, tokens, bytes] = [0, 0, 0];
  const windows = { batchSize, contextLength, ...(maxTokens === undefined ? {} : { maxTokens }) };
  const batches = carries(model) ? contiguousEvaluationBatches : evaluationBatches;
  let state: State = [];
  for (const batch of batches(ids, windows)) {
    if (signal?.aborted) break;
    const before = batch.continues ? state : undefined;
    const read = tf.tidy(() => model.losses(...batchTensors(batch), { state: before }) as never) as Losses;
    for (const loss of await read.losses.data()) nats += loss;
    tf.dispose([read.losses, ...state]);
    state = read.state;
    tokens += batch.targets.length;
    for (const id of batch.targets) bytes += tokenBytes[id]!;
    onProgress?.(tokens);
    await setImmediate();
  }
  tf.dispose([...state]);
  return { nats: nats / tokens, perplexity: Math.exp(nats / tokens), bitsPerByte: nats / (Math.LN2 * bytes), tokens };
}
