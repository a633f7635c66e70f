/**
 * @file The bottleneck experiment: small models of one width and different heads learn a source whose log-probabilities have a
 * known rank far above that width. What they cannot express shows as a divergence from the truth that no training removes.
 */
import { setImmediate } from "node:timers/promises";
import * as tf from "@tensorflow/tfjs";
import { spectrumOf } from "../analysis/spectrum.ts";
import { namedVariables } from "../engine/params.ts";
import { parseModelConfig } from "../lm/config.ts";
import { withoutOptions } from "../lm/heads/loss.ts";
import { parseHead } from "../lm/heads/shortForm.ts";
import { createModel, type LanguageModel } from "../lm/model.ts";
import { randomBatch } from "../text/batches.ts";
import { createModes, type Modes, walkModes } from "../text/sources/modes.ts";
import { TrainingConfig } from "../training/config.ts";
import { createOptimizer } from "../training/optimizer.ts";
import { learningRateAt } from "../training/schedule.ts";
import { batchTensors } from "../training/tensors.ts";

export interface ExperimentOptions {
  readonly steps: number;
  readonly seeds: readonly number[];
  /** Default: {@link contestants}. */
  readonly models?: readonly Contestant[];
  readonly signal?: AbortSignal;
}

export interface Contestant {
  readonly head: string;
  readonly layers: number;
}

/** One model of the experiment. */
export interface ExperimentResult {
  readonly head: string;
  readonly layers: number;
  readonly seed: number;
  readonly parameters: number;
  /** Mean `KL(truth ‖ model)` over contexts, in nats. */
  readonly divergence: number;
  /** Numerical rank of the model's log-probabilities. */
  readonly rank: number;
  readonly seconds: number;
}

/** S symbols, logits of inner size R, and how wide the models are. */
export const setting = { symbols: 60, modes: 32, sharpness: 2, embedSize: 8, contextLength: 8 } as const;

/** Softmax has a second layer, which gives it more parameters than any mixture has; moc has exactly those of mos. */
export const contestants = [
  { head: "softmax", layers: 1 },
  { head: "softmax", layers: 2 },
  { head: "moc:4", layers: 1 },
  { head: "sigsoftmax", layers: 1 },
  { head: "mos:4", layers: 1 },
  { head: "mos:8", layers: 1 },
] as const satisfies readonly Contestant[];

/** Symbols to learn from, and contexts to judge on. */
const [trainLength, contexts] = [200_000, 240];

/** Trains and judges every contestant with every seed, in turn. */
export async function* bottleneckExperiment({
  steps,
  seeds,
  models = contestants,
  signal,
}: ExperimentOptions): AsyncGenerator<ExperimentResult> {
  for (const seed of seeds) {
    const modes = createModes({ ...setting, seed });
    const [train, fresh] = [
      walkModes(modes, trainLength, seed),
      walkModes(modes, contexts * setting.contextLength, seed + 1),
    ];
    for (const { head, layers } of models) {
      if (signal?.aborted) return;
      const start = performance.now();
      const model = createModel(modelConfig(head, layers), seed);
      try {
        await learn(model, train, { steps, seed });
        const seconds = (performance.now() - start) / 1000;
        yield { head, layers, seed, parameters: model.parameterCount, ...(await judge(model, modes, fresh)), seconds };
      } finally {
        model.dispose();
      }
    }
  }
}

const modelConfig = (head: string, layers: number) =>
  parseModelConfig({
    kind: "transformer",
    vocabSize: setting.symbols,
    contextLength: setting.contextLength,
    embedSize: setting.embedSize,
    layers,
    heads: 1,
    head: parseHead(head),
    // A table of its own: what a token says next is not what it is.
    output: { tied: false },
  });

async function learn(
  model: LanguageModel,
  ids: Int32Array,
  { steps, seed }: { steps: number; seed: number },
): Promise<void> {
  const variables = namedVariables(model.params);
  const { optimizer: settings, schedule } = TrainingConfig.parse({
    optimizer: { learningRate: 1e-2, weightDecay: 0 },
    schedule: { warmupSteps: Math.min(50, Math.ceil(steps / 10)), decaySteps: steps, finalShare: 0.01 },
  });
  const optimizer = createOptimizer(variables, settings);
  const wanted = [...variables.values()];
  for (let step = 1; step <= steps; step++) {
    const batch = randomBatch(ids, { seed, step, batchSize: 64, contextLength: setting.contextLength });
    tf.tidy(() => {
      const loss = (): tf.Scalar => tf.mean(model.loss(...batchTensors(batch), withoutOptions));
      const { grads } = tf.variableGrads(loss, wanted);
      const gradients = wanted.map(({ name }) => grads[name]!);
      optimizer.update(step, learningRateAt(step, settings.learningRate, schedule), gradients);
    });
    if (step % 20 === 0) await setImmediate();
  }
  optimizer.dispose();
}

/** Divergence and rank over fresh contexts, of each the last position. */
async function judge(model: LanguageModel, { logProbs: truth }: Modes, ids: Int32Array) {
  const T = setting.contextLength;
  const result = tf.tidy(() => {
    const states = model.hidden(tf.tensor2d(ids, [contexts, T], "int32")); // [N·T, E]
    const last = Int32Array.from({ length: contexts }, (_, row) => (row + 1) * T - 1);
    return model.logProbs(tf.gather(states, tf.tensor1d(last, "int32"))); // [N, S]
  });
  const values = await result.data<"float32">();
  result.dispose();
  const rows = Array.from({ length: contexts }, (_, n) => values.slice(n * setting.symbols, (n + 1) * setting.symbols));
  const divergences = rows.map((row, n) => divergence(truth[ids[(n + 1) * T - 1]!]!, row));
  return { divergence: divergences.reduce((a, b) => a + b, 0) / contexts, rank: spectrumOf(rows).rank };
}

/** `Σ p (ln p − ln q)` in nats, from logarithms. */
export function divergence(logP: ArrayLike<number>, logQ: ArrayLike<number>): number {
  let sum = 0;
  for (let v = 0; v < logP.length; v++) sum += Math.exp(logP[v]!) * (logP[v]! - logQ[v]!);
  return sum;
}
