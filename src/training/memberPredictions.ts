/**
 * @file What several models predict at every token of one text, side by side: checkpoints, or one model under several dropout masks
 * (Gal and Ghahramani 2016, https://arxiv.org/abs/1506.02142). A bounded number of rows at a time.
 */
import { setImmediate } from "node:timers/promises";
import * as tf from "@tensorflow/tfjs";
import { type RandomKey, randomKey } from "../engine/random.ts";
import type { NE } from "../engine/shapes.ts";
import type { LanguageModel } from "../lm/model.ts";
import { evaluationBatches } from "../text/batches.ts";
import { batchTensors } from "./tensors.ts";

/** Log-probabilities in memory at once, `rows · V · M`: 64 MB. */
const logProbsAtOnce = 2 ** 24;
/** Hidden features in memory at once, `B · T · E · M`: 64 MB. */
const featuresAtOnce = 2 ** 24;

/** One member: a model, and what selects its dropout masks in each batch; without masks where absent. */
export interface Member {
  readonly model: LanguageModel;
  readonly masks?: (batch: number) => RandomKey;
}

/** Rows of one batch; overwritten once the next one is asked for. */
export interface MemberRows {
  /** `log p` of each member, `[N, V]`. */
  readonly members: Float32Array[];
  /** The same of the single model, where there is one. */
  readonly single?: Float32Array | undefined;
  /** What came next, `[N]`. */
  readonly targets: Int32Array;
}

export interface MemberPredictions {
  /** V. */
  readonly classes: number;
  /** Tokens predicted. */
  readonly count: number;
  /** T of the windows: the shortest context of all. */
  readonly contextLength: number;
  batches(): AsyncGenerator<MemberRows>;
}

export interface MemberOptions {
  readonly ids: Int32Array;
  /** At most so many rows at once; fewer where memory would not be bounded. */
  readonly batchSize: number;
  /** At most so many tokens, spread evenly; all of them where absent. */
  readonly maxTokens?: number | undefined;
  /** A model that members are compared with, read without masks. */
  readonly single?: LanguageModel | undefined;
}

/** `count` members of one model with the masks of `seed`. */
export const maskedMembers = (model: LanguageModel, count: number, seed: number): Member[] =>
  Array.from({ length: count }, (_, m) => ({ model, masks: (batch) => randomKey(seed, `mask/${m}`, batch) }));

/** Members share one vocabulary. Each token of the windows of `evaluationBatches` is predicted once, by every member. */
export function memberPredictions(members: readonly Member[], options: MemberOptions): MemberPredictions {
  const { ids, maxTokens, single } = options;
  const readers: readonly Member[] = single ? [...members, { model: single }] : members;
  const configs = readers.map(({ model }) => model.config);
  const contextLength = Math.min(...configs.map((config) => config.contextLength));
  const features = contextLength * configs.reduce((sum, { embedSize }) => sum + embedSize, 0);
  const batchSize = Math.max(1, Math.min(options.batchSize, Math.floor(featuresAtOnce / features)));
  const windows = { batchSize, contextLength, maxTokens };
  let count = 0;
  for (const { targets } of evaluationBatches(ids, windows)) count += targets.length;
  return {
    classes: configs[0]!.vocabSize,
    count,
    contextLength,
    batches: async function* () {
      let number = 0;
      for (const batch of evaluationBatches(ids, windows)) {
        const [inputs, targets] = batchTensors(batch);
        const states = readers.map(({ model, masks }) => model.hidden(inputs, masks?.(number))); // each [B·T, E]
        number++;
        tf.dispose([inputs, targets]);
        try {
          for await (const { rows, ...rest } of rowsOf(readers, states, batch.targets))
            yield single ? { members: rows.slice(0, -1), single: rows.at(-1), ...rest } : { members: rows, ...rest };
        } finally {
          tf.dispose(states);
        }
        await setImmediate();
      }
    },
  };
}

async function* rowsOf(
  readers: readonly Member[],
  states: readonly NE[],
  targets: Int32Array,
): AsyncGenerator<{ rows: Float32Array[]; targets: Int32Array }> {
  const most = Math.max(1, Math.floor(logProbsAtOnce / (readers[0]!.model.config.vocabSize * readers.length)));
  for (let start = 0; start < targets.length; start += most) {
    const count = Math.min(most, targets.length - start);
    const part = (state: NE): NE => tf.slice2d(state, [start, 0], [count, -1]); // [N, E]
    const logProbs = readers.map(({ model }, i) => tf.tidy(() => model.logProbs(part(states[i]!)))); // each [N, V]
    try {
      const rows = await Promise.all(logProbs.map((each) => each.data<"float32">()));
      yield { rows, targets: targets.subarray(start, start + count) };
    } finally {
      tf.dispose(logProbs);
    }
  }
}
