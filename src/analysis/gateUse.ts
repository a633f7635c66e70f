/** @file Measures how a mixture's gate weighs its components over a text. */
import { setImmediate } from "node:timers/promises";
import * as tf from "@tensorflow/tfjs";
import { headParts } from "../lm/headParts.ts";
import { headOf } from "../lm/heads/table.ts";
import type { LanguageModel } from "../lm/model.ts";
import { evaluationBatches } from "../text/batches.ts";
import type { GateUse } from "./gate.ts";

/**
 * The gate over windows of a text, spread evenly; undefined where the head mixes nothing.
 *
 * @param maxTokens - positions to look at, at most.
 */
export async function gateUse(
  model: LanguageModel,
  ids: Int32Array,
  { batchSize, maxTokens }: { readonly batchSize: number; readonly maxTokens: number },
): Promise<GateUse | undefined> {
  const { config } = model;
  const head = headOf(config.head);
  if (head.logWeights === undefined || ids.length < 2) return undefined;
  const parts = headParts(model);
  const sums: number[] = [];
  let [entropy, tokens] = [0, 0];
  for (const { inputs, contextLength } of evaluationBatches(ids, {
    batchSize,
    contextLength: config.contextLength,
    maxTokens,
  })) {
    const logWeights = tf.tidy(() => {
      const rows = tf.tensor2d(inputs, [inputs.length / contextLength, contextLength], "int32"); // [B, T]
      return head.logWeights!(parts, model.hidden(rows)); // [B·T, K]
    });
    const K = logWeights.shape[1];
    for (const [i, logWeight] of (await logWeights.data<"float32">()).entries()) {
      const weight = Math.exp(logWeight);
      sums[i % K] = (sums[i % K] ?? 0) + weight;
      if (weight > 0) entropy -= weight * logWeight;
    }
    tokens += logWeights.shape[0];
    logWeights.dispose();
    await setImmediate();
  }
  return { weights: sums.map((sum) => sum / tokens), entropy: entropy / tokens, tokens };
}
