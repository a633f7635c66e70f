/** @file How a model is trained: the one source of names, defaults and limits. */
import { z } from "zod";

const positive = (description: string) => z.int().positive().max(1e9).describe(description);
const every = (description: string) => z.int().nonnegative().max(1e9).describe(`${description}; 0 = never`);

const learningRate = (largest: number) =>
  z.number().positive().max(1000).default(largest).describe("largest learning rate");
const weightDecay = (value: number) =>
  z.number().min(0).max(10).default(value).describe("decay of weights, on matrices only");
const clipNorm = (value: number) => z.number().min(0).default(value).describe("largest global gradient norm; 0 = off");

const AdamW = z.strictObject({
  kind: z
    .literal("adamw")
    .optional() // so that a configuration may leave it out
    .default("adamw")
    .describe("adamw; sgd: gradient descent; asgd: the same, averaged once validation stops improving"),
  learningRate: learningRate(1e-3),
  beta1: z.number().min(0).lt(1).default(0.9).describe("decay of the gradients' running mean"),
  beta2: z.number().min(0).lt(1).default(0.99).describe("decay of the squared gradients' running mean"),
  epsilon: z.number().positive().default(1e-8).describe("added to the root of the second moment"),
  weightDecay: weightDecay(0.1),
  clipNorm: clipNorm(1),
});
const descent = { learningRate: learningRate(1), weightDecay: weightDecay(0), clipNorm: clipNorm(0.25) };
const Sgd = z.strictObject({ kind: z.literal("sgd"), ...descent });
const Asgd = z.strictObject({
  kind: z.literal("asgd"),
  ...descent,
  patience: positive("evaluations back whose best loss must be undercut, or averaging starts (asgd)")
    .max(1000)
    .default(5),
});
const Optimizer = z.discriminatedUnion("kind", [AdamW, Sgd, Asgd]);
export type AdamWConfig = z.infer<typeof AdamW>;
export type SgdConfig = z.infer<typeof Sgd>;
export type AsgdConfig = z.infer<typeof Asgd>;
export type OptimizerConfig = z.infer<typeof Optimizer>;

const Schedule = z.strictObject({
  kind: z.enum(["cosine", "linear", "constant"]).default("cosine").describe("form of the decay after warm-up"),
  warmupSteps: z.int().nonnegative().default(100).describe("steps of linear warm-up"),
  decaySteps: positive("step at which the decay ends; independent of --steps, so that a run can be prolonged").default(
    2000,
  ),
  finalShare: z
    .number()
    .min(0)
    .max(1)
    .default(0.1)
    .describe("learning rate after the decay, as a share of the largest"),
});

const Batches = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z
      .literal("random")
      .describe("windows from anywhere, each begun anew; or contiguous: rows are read on, with carried state"),
  }),
  z.strictObject({
    kind: z.literal("contiguous"),
    lengths: z
      .enum(["fixed", "random"])
      .default("fixed")
      .describe("steps of a contiguous batch: the context length, or drawn around it"),
  }),
]);

export const TrainingConfig = z.strictObject({
  steps: positive("optimiser steps in all").default(2000),
  batchSize: positive("sequences a batch (B)").default(12),
  accumulate: positive("batches a step, their gradients averaged").default(1),
  batches: Batches.prefault({ kind: "random" }),
  optimizer: Optimizer.prefault({}),
  schedule: Schedule.prefault({}),
  labelSmoothing: z
    .number()
    .min(0)
    .lt(1)
    .default(0)
    .describe("share of each target spread evenly over the vocabulary; evaluation stays the true −log p"),
  zLoss: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe("weight of the squared log of the softmax's sum, in training alone; 1e-4 is usual"),
  evaluateEvery: every("steps between evaluations on the validation split").default(250),
  evaluationTokens: positive("tokens of the validation split used by an evaluation during training").default(20_000),
  checkpointEvery: every("steps between checkpoints").default(250),
  keepCheckpoints: positive("checkpoints kept besides the best").default(2),
  maximumSkippedSteps: positive("steps in a row that may be skipped for a loss or gradient that is not finite").default(
    10,
  ),
});
export type TrainingConfig = z.infer<typeof TrainingConfig>;
export type ScheduleConfig = TrainingConfig["schedule"];
