/** @file The spread of a model's scores, log-probabilities and gates over a little validation text, for TensorBoard. */
import * as tf from "@tensorflow/tfjs";
import { headParts } from "../../lm/headParts.ts";
import { scores } from "../../lm/heads/scores.ts";
import { headOf } from "../../lm/heads/table.ts";
import type { LanguageModel } from "../../lm/model.ts";
import { evaluationBatches } from "../../text/batches.ts";
import { histogramOfValues, type Shown } from "./summary.ts";

/** Heads whose only scores are `z = h Wᵀ + b`; a mixture and clusters have no such logits. */
const withLogits: ReadonlySet<string> = new Set(["softmax", "sigsoftmax", "sigmoid"]);
/** Positions that are looked at: few, as each has a number a token of the vocabulary. */
const positions = 128;

/**
 * `log-probabilities` of every head, `logits` where there are some, and `gate/component k`: the weight of component k at each position.
 *
 * @param ids - text; the windows are spread evenly over it, always the same.
 */
export async function modelHistograms(model: LanguageModel, ids: Int32Array): Promise<Shown[]> {
  const [batch] = evaluationBatches(ids, {
    batchSize: 64,
    contextLength: model.config.contextLength,
    maxTokens: positions,
  });
  if (batch === undefined) return [];
  const [parts, head] = [headParts(model), headOf(model.config.head)];
  const tensors = tf.tidy(() => {
    const rows = tf.tensor2d(batch.inputs, [batch.batchSize, batch.contextLength], "int32"); // [B, T]
    const hidden = tf.slice2d(model.hidden(rows), [0, 0], [Math.min(positions, rows.size), -1]) as Parameters<
      typeof head.logProbs
    >[1]; // [N, E]
    return {
      "log-probabilities": head.logProbs(parts, hidden), // [N, V]
      ...(withLogits.has(model.config.head.kind) && { logits: scores(parts.output, hidden) }), // [N, V]
      ...(head.logWeights && { gate: tf.exp(head.logWeights(parts, hidden)) }), // [N, K]
    };
  });
  const shown: Shown[] = [];
  for (const [tag, tensor] of Object.entries(tensors)) {
    const values = await tensor.data<"float32">();
    if (tag !== "gate") shown.push(...named(tag, values));
    else
      for (let k = 0; k < tensor.shape[1]!; k++)
        shown.push(...named(`gate/component ${k + 1}`, column(values, k, tensor.shape[1]!)));
  }
  tf.dispose(tensors);
  return shown;
}

function named(tag: string, values: Float32Array): Shown[] {
  const histogram = histogramOfValues(values);
  return histogram === undefined ? [] : [{ tag, histogram }];
}

const column = (values: Float32Array, k: number, K: number): Float32Array =>
  Float32Array.from({ length: values.length / K }, (_, n) => values[n * K + k]!);
