/** @file Loss on held-out text, in nats per token, perplexity and bits per byte. */
import { setImmediate } from "node:timers/promises";
import * as tf from "@tensorflow/tfjs";
import type { LanguageModel } from "../lm/model.ts";
import { evaluationBatches } from "../text/batches.ts";
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

/** Mean loss over contiguous windows; each target is predicted once. Sums run in float64. */
export async function evaluate(model: LanguageModel, options: EvaluationOptions): Promise<Evaluation> {
  const { ids, tokenBytes, batchSize, maxTokens, signal, onProgress } = options;
  const { contextLength } = model.config;
  let [nats, tokens, bytes] = [0, 0, 0];
  const windows = { batchSize, contextLength, ...(maxTokens === undefined ? {} : { maxTokens }) };
  for (const batch of evaluationBatches(ids, windows)) {
    if (signal?.aborted) break;
    const losses = tf.tidy(() => model.nll(...batchTensors(batch)));
    for (const loss of await losses.data()) nats += loss;
    losses.dispose();
    tokens += batch.targets.length;
    for (const id of batch.targets) bytes += tokenBytes[id]!;
    onProgress?.(tokens);
    await setImmediate();
  }
  return { nats: nats / tokens, perplexity: Math.exp(nats / tokens), bitsPerByte: nats / (Math.LN2 * bytes), tokens };
}
