/** @file The training loop: an async stream of plain events. Knows no model by name, prints nothing, writes no file. */
import { setImmediate } from "node:timers/promises";
import * as tf from "@tensorflow/tfjs";
import { SandboxError } from "../engine/errors.ts";
import { namedVariables } from "../engine/params.ts";
import { randomKey } from "../engine/random.ts";
import type { LanguageModel } from "../lm/model.ts";
import { type Batch, randomBatch } from "../text/batches.ts";
import type { TrainingConfig } from "./config.ts";
import { evaluate } from "./evaluation.ts";
import type { EvaluationEvent, SkippedEvent, StepEvent, TrainingEvent } from "./events.ts";
import type { Optimizer } from "./optimizer.ts";
import { learningRateAt } from "./schedule.ts";
import { batchTensors } from "./tensors.ts";

/** What a run knows besides parameters and moments; saved with every checkpoint. */
export interface Progress {
  /** Steps made. */
  readonly step: number;
  readonly skippedInARow: number;
  /** Lowest validation loss at a scheduled evaluation, nats per token. */
  readonly bestNats: number | null;
}
export const freshProgress: Progress = { step: 0, skippedInARow: 0, bestNats: null };

export interface TrainOptions {
  readonly model: LanguageModel;
  readonly optimizer: Optimizer;
  readonly config: TrainingConfig;
  readonly seed: number;
  readonly progress: Progress;
  readonly trainIds: Int32Array;
  readonly validationIds: Int32Array;
  /** Bytes of every token, by id. */
  readonly tokenBytes: Int32Array;
  /** Makes the present state safe; `best` marks the lowest validation loss so far. */
  readonly save: (progress: Progress, best: boolean) => Promise<void>;
  /** Keeps the batches of a step that stopped the run, for whoever looks for the reason. */
  readonly dump: (step: number, batches: readonly Batch[]) => Promise<string>;
  readonly signal?: AbortSignal;
  /** Asked after each step: whether to save now, due or not. */
  readonly isSaveWanted?: () => boolean;
}

/**
 * Trains until `config.steps` are done or `signal` aborts, and saves at the end in both cases. Every number is a function
 * of (seed, step), so a run resumed from a checkpoint goes on exactly as the uninterrupted one.
 *
 * @throws {SandboxError} after too many steps in a row with a loss or gradient that is not finite.
 */
export async function* train(options: TrainOptions): AsyncGenerator<TrainingEvent> {
  const { config, signal } = options;
  let progress = options.progress;
  let ending = progress.step >= config.steps || signal?.aborted === true;
  while (!ending) {
    const event = await trainStep(options, progress.step + 1, progress.skippedInARow);
    progress = { ...progress, step: event.step, skippedInARow: event.type === "skipped" ? event.inARow : 0 };
    yield event;
    if (progress.skippedInARow >= config.maximumSkippedSteps) await giveUp(options, progress);
    const finished = progress.step === config.steps;
    ending = finished || signal?.aborted === true;
    const evaluation = await evaluateIfDue(options, progress, finished);
    if (evaluation) yield evaluation;
    const best = evaluation?.best === true;
    progress = { ...progress, bestNats: best ? evaluation.nats : progress.bestNats };
    if (ending || best || isSaveDue(progress, options)) {
      await options.save(progress, best);
      yield { type: "checkpoint", step: progress.step, best };
    }
    await setImmediate(); // a resolved promise would starve timers and keys
  }
  yield { type: "done", step: progress.step, reason: progress.step < config.steps ? "stopped" : "finished" };
}

/** Not among skipped steps: what made them so may be the parameters, and a good checkpoint would give way to them. */
const isSaveDue = ({ step, skippedInARow }: Progress, { config, isSaveWanted }: TrainOptions): boolean =>
  skippedInARow === 0 && (dueAt(step, config.checkpointEvery) || isSaveWanted?.() === true);

const dueAt = (step: number, every: number): boolean => every > 0 && step % every === 0;

async function giveUp(options: TrainOptions, { step, skippedInARow }: Progress): Promise<never> {
  const place = await options.dump(step, stepBatches(options, step));
  throw new SandboxError(
    `training: loss or gradient was not finite in ${skippedInARow} steps in a row, the last at step ${step}`,
    `The last good checkpoint is kept, the last batch is in ${place}. Start a new run with a lower learning rate.`,
  );
}

/** The batches of a step: a pure function of seed and step. */
function stepBatches({ config, model, seed, trainIds }: TrainOptions, step: number): Batch[] {
  const { accumulate, batchSize } = config;
  const { contextLength } = model.config;
  const draw = (micro: number): Batch =>
    randomBatch(trainIds, { seed, step: (step - 1) * accumulate + micro, batchSize, contextLength });
  return Array.from({ length: accumulate }, (_, micro) => draw(micro));
}

/** Mean loss of the step's batches and its gradients, in the parameters' order; all owned by the caller. */
function lossAndGradients(options: TrainOptions, step: number, batches: readonly Batch[]) {
  const { model, seed, config } = options;
  const variables = [...namedVariables(model.params).values()];
  return tf.tidy(() => {
    const rounds = batches.map((batch, micro) =>
      tf.variableGrads(() => {
        const key = randomKey(seed, "dropout", (step - 1) * batches.length + micro);
        const losses = model.loss(...batchTensors(batch), config, key); // [B·T]
        return tf.div(tf.mean(losses), batches.length);
      }, variables),
    );
    const sum = (parts: tf.Tensor[]): tf.Tensor => (parts.length === 1 ? parts[0]! : tf.addN(parts));
    const gradients = variables.map((variable) => sum(rounds.map(({ grads }) => grads[variable.name]!)));
    return { loss: sum(rounds.map(({ value }) => value)), gradients };
  });
}

async function trainStep(options: TrainOptions, step: number, skipped: number): Promise<StepEvent | SkippedEvent> {
  const start = performance.now();
  const { config, optimizer } = options;
  const batches = stepBatches(options, step);
  const { loss, gradients } = lossAndGradients(options, step, batches);
  const learningRate = learningRateAt(step, config.optimizer.learningRate, config.schedule);
  const norm = optimizer.update(step, learningRate, gradients);
  const [[lossValue], [gradientNorm]] = await Promise.all([loss.data(), norm.data()]);
  tf.dispose([loss, norm, gradients]);
  const figures = { step, loss: lossValue!, gradientNorm: gradientNorm! };
  if (!Number.isFinite(gradientNorm)) return { type: "skipped", ...figures, inARow: skipped + 1 };
  const tokens = batches.reduce((total, { inputs }) => total + inputs.length, 0);
  return { type: "step", ...figures, learningRate, tokens, milliseconds: performance.now() - start };
}

async function evaluateIfDue(
  options: TrainOptions,
  { step, bestNats }: Progress,
  finished: boolean,
): Promise<EvaluationEvent | undefined> {
  const { model, config, validationIds: ids, tokenBytes } = options;
  const scheduled = dueAt(step, config.evaluateEvery);
  if ((!scheduled && !finished) || ids.length < 2) return undefined; // a run without a validation split has none
  const limits = { batchSize: config.batchSize, maxTokens: config.evaluationTokens };
  const evaluation = await evaluate(model, { ids, tokenBytes, ...limits });
  const best = scheduled && evaluation.nats < (bestNats ?? Number.POSITIVE_INFINITY); // never where it is NaN
  return { type: "evaluation", step, ...evaluation, best, scheduled };
}
