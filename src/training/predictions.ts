/** @file What a model predicts at every token of a text, as plain rows of log-probabilities, a bounded number of them at a time. */
import { setImmediate } from "node:timers/promises";
import * as tf from "@tensorflow/tfjs";
import type { NE, NV } from "../engine/shapes.ts";
import type { LanguageModel } from "../lm/model.ts";
import { evaluationBatches } from "../text/batches.ts";
import { batchTensors } from "./tensors.ts";

/** Numbers in memory at once, `rows · V`: 16 MB, and the same again while they are made. */
const numbersAtOnce = 2 ** 22;

/** Rows of one batch; overwritten once the next one is asked for. */
export interface PredictedRows {
  /** `log p`, `[N, V]`. */
  readonly logProbs: Float32Array;
  /** What came next, `[N]`. */
  readonly targets: Int32Array;
}

/** A model's predictions over a text, which can be walked over again and again, each time the same. */
export interface ModelPredictions {
  /** V. */
  readonly classes: number;
  /** Tokens predicted. */
  readonly count: number;
  batches(): AsyncGenerator<PredictedRows>;
}

export interface PredictionOptions {
  readonly ids: Int32Array;
  readonly batchSize: number;
  /** At most so many tokens, spread evenly; all of them where absent. */
  readonly maxTokens?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Rows for hidden states: the model's `log p` where absent. */
  readonly rows?: ((hidden: NE) => NV) | undefined;
}

/** Each token of the windows of `evaluationBatches` is predicted once. */
export function modelPredictions(model: LanguageModel, options: PredictionOptions): ModelPredictions {
  const { contextLength, vocabSize } = model.config;
  const windows = { batchSize: options.batchSize, contextLength, maxTokens: options.maxTokens };
  let count = 0;
  for (const { targets } of evaluationBatches(options.ids, windows)) count += targets.length;
  return {
    classes: vocabSize,
    count,
    batches: async function* () {
      for (const batch of evaluationBatches(options.ids, windows)) {
        if (options.signal?.aborted) return;
        const [inputs, targets] = batchTensors(batch);
        const states = model.hidden(inputs); // [B·T, E]
        tf.dispose([inputs, targets]);
        try {
          yield* rowsOf(options.rows ?? model.logProbs, states, batch.targets, vocabSize);
        } finally {
          states.dispose();
        }
        await setImmediate();
      }
    },
  };
}

async function* rowsOf(
  logProbsOf: (hidden: NE) => NV,
  states: NE,
  targets: Int32Array,
  classes: number,
): AsyncGenerator<PredictedRows> {
  const rows = Math.max(1, Math.floor(numbersAtOnce / classes));
  for (let start = 0; start < targets.length; start += rows) {
    const count = Math.min(rows, targets.length - start);
    const logProbs = tf.tidy(() => logProbsOf(tf.slice2d(states, [start, 0], [count, -1]))); // [rows, V]
    try {
      yield { logProbs: await logProbs.data<"float32">(), targets: targets.subarray(start, start + count) };
    } finally {
      logProbs.dispose();
    }
  }
}
