/** @file The training loop: an async stream of plain events. Knows no model by name, prints nothing, writes no file. */
import { setImmediate } from "node:timers/promises";
import * as tf from "@tensorflow/tfjs";
import { SandboxError } from "../engine/errors.ts";
import { namedVariables } from "../engine/params.ts";
import { randomKey } from "../engine/random.ts";
import type { LanguageModel } from "../lm/model.ts";
import type { State } from "../lm/trunks/trunk.ts";
import type { Batch } from "../text/batches.ts";
import type { CarriedState } from "./carriedState.ts";
import type { TrainingConfig } from "./config.ts";
import { evaluate } from "./evaluation.ts";
import type { EvaluationEvent, SkippedEvent, StepEvent, TrainingEvent } from "./events.ts";
import type { Optimizer } from "./optimizer.ts";
import { createBatchPlan } from "./plans.ts";
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
  readonly carried: CarriedState;
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
  const { config, optimizer, signal } = options;
  const batchesOf = createBatchPlan({
    ...options,
    ids: options.trainIds,
    contextLength: options.model.config.contextLength,
  });
  let progress = options.progress;
  let ending = progress.step >= config.steps || signal?.aborted === true;
  while (!ending) {
    const batches = batchesOf(progress.step + 1);
    const event = await trainStep(options, progress.step + 1, batches, progress.skippedInARow);
    progress = { ...progress, step: event.step, skippedInARow: event.type === "skipped" ? event.inARow : 0 };
    yield event;
    if (progress.skippedInARow >= config.maximumSkippedSteps) await giveUp(options, progress, batches);
    const finished = progress.step === config.steps;
    ending = finished || signal?.aborted === true;
    optimizer.swap();
    const evaluation = await evaluateIfDue(options, progress, finished);
    if (evaluation) yield evaluation;
    const best = evaluation?.best === true;
    progress = { ...progress, bestNats: best ? evaluation.nats : progress.bestNats };
    if (ending || best || isSaveDue(progress, options)) {
      await options.save(progress, best);
      yield { type: "checkpoint", step: progress.step, best };
    }
    optimizer.swap();
    await setImmediate(); // a resolved promise would starve timers and keys
  }
  yield { type: "done", step: progress.step, reason: progress.step < config.steps ? "stopped" : "finished" };
}

/** Not among skipped steps: what made them so may be the parameters, and a good checkpoint would give way to them. */
const isSaveDue = ({ step, skippedInARow }: Progress, { config, isSaveWanted }: TrainOptions): boolean =>
  skippedInARow === 0 && (dueAt(step, config.checkpointEvery) || isSaveWanted?.() === true);

const dueAt = (step: number, every: number): boolean => every > 0 && step % every === 0;

async function giveUp(
  options: TrainOptions,
  { step, skippedInARow }: Progress,
  batches: readonly Batch[],
): Promise<never> {
  const place = await options.dump(step, batches);
  throw new SandboxError(
    `training: loss or gradient was not finite in ${skippedInARow} steps in a row, the last at step ${step}`,
    `The last good checkpoint is kept, the last batch is in ${place}. Start a new run with a lower learning rate.`,
  );
}

interface StepResult {
  /** Mean over the batches, nats per token; regularisers not counted. */
  readonly loss: tf.Scalar;
  /** In the parameters' order. */
  readonly gradients: tf.Tensor[];
  /** After the last batch. */
  readonly state: State;
}

/** Mean loss of the step's batches, its gradients and the state after them; all owned by the caller. */
function lossAndGradients(options: TrainOptions, step: number, batches: readonly Batch[]): StepResult {
  const { model, seed, config } = options;
  const variables = [...namedVariables(model.params).values()];
  let state = options.carried.state;
  return tf.tidy(() => {
    const rounds = batches.map((batch, micro) => {
      const key = randomKey(seed, "dropout", (step - 1) * batches.length + micro);
      const before = batch.continues ? state : undefined;
      const kept: tf.Tensor[] = [];
      const { grads, value } = tf.variableGrads(() => {
        const read = model.losses(...batchTensors(batch), { key, state: before, training: config });
        const mean: tf.Scalar = tf.mean(read.losses);
        kept.push(...[mean, ...read.state].map((tensor) => tf.keep(tf.clone(tensor))));
        return tf.div(read.penalty ? tf.add(mean, read.penalty) : mean, batches.length);
      }, variables);
      value.dispose();
      const [mean, ...after] = kept.map(released) as [tf.Scalar, ...tf.Tensor[]];
      state = after;
      return { grads, loss: tf.div<tf.Scalar>(mean, batches.length) };
    });
    const sum = <T extends tf.Tensor>(parts: T[]): T => (parts.length === 1 ? parts[0]! : tf.addN(parts));
    const gradients = variables.map((variable) => sum(rounds.map(({ grads }) => grads[variable.name]!)));
    return { loss: sum(rounds.map(({ loss }) => loss)), gradients, state } as never;
  });
}

/** A kept tensor as one of the scope at hand. */
function released(kept: tf.Tensor): tf.Tensor {
  const ours = tf.clone(kept);
  kept.dispose();
  return ours;
}

async function trainStep(
  options: TrainOptions,
  step: number,
  batches: readonly Batch[],
  skipped: number,
): Promise<StepEvent | SkippedEvent> {
  const start = performance.now();
  const { config, optimizer, carried } = options;
  const tokens = batches.reduce((total, { inputs }) => total + inputs.length, 0);
  const { loss, gradients, state } = lossAndGradients(options, step, batches);
  const learningRate = learningRateAt(step, config.optimizer.learningRate, config.schedule) * shareOf(options, tokens);
  const norm = optimizer.update(step, learningRate, gradients);
  const [[lossValue], [gradientNorm]] = await Promise.all([loss.data(), norm.data()]);
  const figures = { step, loss: lossValue!, gradientNorm: gradientNorm! };
  const finite = Number.isFinite(gradientNorm);
  if (finite) carried.keep(state);
  tf.dispose([loss, norm, gradients, state.filter((part) => !carried.state.includes(part))]);
  if (!finite) return { type: "skipped", ...figures, inARow: skipped + 1 };
  return { type: "step", ...figures, learningRate, tokens, milliseconds: performance.now() - start };
}

/** A step over fewer tokens than a full one moves the parameters by as much less (Merity et al. 2018, section 4.1). */
function shareOf({ config, model }: TrainOptions, tokens: number): number {
  return tokens / (config.batchSize * config.accumulate * model.config.contextLength);
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
  if (scheduled) options.optimizer.evaluated(evaluation.nats, step);
  const best = scheduled && evaluation.nats < (bestNats ?? Number.POSITIVE_INFINITY); // never where it is NaN
  return { type: "evaluation", step, ...evaluation, best, scheduled };
}
