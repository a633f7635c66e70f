/**
 * @file The softmax bottleneck (Yang et al. 2018, arXiv 1711.03953): the matrix of a model's log-probabilities, a row a context
 * and a column a token, and the rank that its head allows.
 *
 * With one softmax row c is `h_c Wᵀ − s_c`, so the matrix is a product of inner size E plus one column times a row of ones: its
 * rank is at most E + 1, however many contexts and tokens there are. A mixture takes the logarithm of a sum, which no such bound
 * holds for.
 */
import { setImmediate } from "node:timers/promises";
import * as tf from "@tensorflow/tfjs";
import { SandboxError } from "../engine/errors.ts";
import type { ModelConfig } from "../lm/config.ts";
import type { LanguageModel } from "../lm/model.ts";

/** Windows of text whose last positions are the contexts. */
const windowsAtOnce = 16;

/**
 * `log p(token | context)` of N contexts, spread evenly over a text, and of the M tokens that are commonest in it.
 *
 * @param ids - the text.
 * @returns N rows of M natural logarithms.
 * @throws {SandboxError} if the text is too short or has too few different tokens.
 */
export async function logProbabilityMatrix(
  model: LanguageModel,
  ids: Int32Array,
  { contexts: N, tokens: M }: { readonly contexts: number; readonly tokens: number },
): Promise<Float32Array[]> {
  const length = Math.min(model.config.contextLength, Math.floor(ids.length / 2));
  const places = ids.length - length + 1;
  const columns = commonest(ids, M);
  if (length < 1 || places < N || columns.length < M)
    throw new SandboxError(
      `bottleneck: ${N} contexts of ${length} tokens and ${M} different tokens are wanted, the text has ${Math.max(0, places)} and ${columns.length}`,
      "Take a longer text with --on or --split, or fewer with --contexts and --tokens.",
    );
  const starts = Array.from({ length: N }, (_, i) => Math.floor((i * places) / N));
  const rows: Float32Array[] = [];
  for (let from = 0; from < N; from += windowsAtOnce) {
    const windows = starts.slice(from, from + windowsAtOnce).map((start) => ids.subarray(start, start + length));
    rows.push(...(await lastLogProbs(model, windows, columns)));
    await setImmediate();
  }
  return rows;
}

/** The `count` commonest ids of a text, ties by id. */
function commonest(ids: Int32Array, count: number): number[] {
  const counts = new Map<number, number>();
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
  const sorted = [...counts].sort(([a, timesA], [b, timesB]) => timesB - timesA || a - b);
  return sorted.slice(0, count).map(([id]) => id);
}

/** Log-probabilities of `columns` after each window. */
async function lastLogProbs(model: LanguageModel, windows: readonly Int32Array[], columns: readonly number[]) {
  const T = windows[0]!.length;
  const chosen = tf.tidy(() => {
    const flat = Int32Array.from(windows.flatMap((window) => [...window]));
    const states = model.hidden(tf.tensor2d(flat, [windows.length, T], "int32")); // [B·T, E]
    const last = windows.map((_, row) => (row + 1) * T - 1);
    const logProbs = model.logProbs(tf.gather(states, tf.tensor1d(last, "int32"))); // [B, V]
    return tf.gather(logProbs, tf.tensor1d([...columns], "int32"), 1); // [B, M]
  });
  const values = await chosen.data<"float32">();
  chosen.dispose();
  return windows.map((_, row) => values.slice(row * columns.length, (row + 1) * columns.length));
}

/** The largest rank that the head lets the matrix have, or nothing where its formula sets no bound below the matrix's size. */
export function rankBound({ head, output, embedSize: E }: ModelConfig): number | undefined {
  if (output.softcap > 0) return undefined; // a cap is not linear
  const shared = E + 1 + (output.bias ? 1 : 0); // features, the normaliser, one row of biases
  if (head.kind === "adaptive") return shared + head.cutoffs.length; // one more normaliser a cluster
  if (head.kind === "mos") return head.mixtures === 1 ? shared : undefined;
  return head.kind === "sigsoftmax" ? undefined : shared;
}
