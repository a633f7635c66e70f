/** @file Everything that makes a run: text, model, training. A recipe is such a configuration in a file. */
import { z } from "zod";
import { SandboxError } from "../engine/errors.ts";
import { describeIssues } from "../engine/issues.ts";
import { ModelRecipe } from "../lm/config.ts";
import { undefinedOptions } from "../lm/heads/config.ts";
import { headName } from "../lm/heads/shortForm.ts";
import { SamplingSettings } from "../sampling/settings.ts";
import { isTokenizerName, tokenizerNames } from "../text/tokenizer.ts";
import { TrainingConfig } from "../training/config.ts";

const share = (description: string, value: number) => z.number().min(0).max(1).default(value).describe(description);

const Splits = z
  .strictObject({
    train: share("share of the text to learn from", 0.9),
    validation: share("share to evaluate on", 0.05),
    calibration: share("share kept for calibration", 0.05),
  })
  .refine(
    (s) => Math.abs(s.train + s.validation + s.calibration - 1) < 1e-9,
    "train + validation + calibration must be 1",
  );

const Sample = z.strictObject({
  prompt: z.string().min(1).default("\n").describe("text to go on from"),
  tokens: z.int().nonnegative().max(10_000).default(60).describe("tokens to write at each evaluation; 0 = none"),
  settings: SamplingSettings.prefault({}),
});

const fields = z.strictObject({
  description: z.string().default("").describe("what to expect"),
  corpus: z.string().min(1).describe("a corpus's name, or a file, folder or glob"),
  tokenizer: z
    .string()
    .refine(isTokenizerName, `expected one of ${tokenizerNames}`)
    .describe("gpt2, gpt2-compact, char, byte, word, or word:N for the N most frequent words"),
  splits: Splits.prefault({}),
  seed: z.int().min(0).default(1).describe("fixes parameters, batches and dropout"),
  precision: z
    .enum(["float32", "bfloat16"])
    .default("float32")
    .describe("what the inputs of matrix products are rounded to while training; sums stay float32"),
  model: ModelRecipe,
  training: TrainingConfig.prefault({}),
  probes: z
    .array(z.string().min(1))
    .max(20)
    .default([])
    .describe("prompts whose next tokens are recorded over training"),
  sample: Sample.prefault({}),
});

export const RunConfig = fields.superRefine(({ model, training }, context) => {
  for (const key of undefinedOptions(model.head, training))
    context.addIssue({
      code: "custom",
      path: ["training", key],
      message: `is not defined for the head ${headName(model.head)}; leave it 0`,
    });
  const { batches } = training;
  if (model.kind === "transformer" && batches.kind === "contiguous" && batches.lengths === "random")
    context.addIssue({
      code: "custom",
      path: ["training", "batches", "lengths"],
      message: "random lengths may exceed a transformer's context; use fixed",
    });
});
export type RunConfig = z.infer<typeof RunConfig>;

/**
 * Reads a run's configuration.
 *
 * @param where - a file or flag, for the message.
 * @throws {SandboxError} naming every wrong key by its path, all at once.
 */
export function parseRunConfig(where: string, raw: unknown): RunConfig {
  const result = RunConfig.safeParse(raw);
  if (!result.success)
    throw new SandboxError(
      `${where}:\n${describeIssues(result.error, raw, RunConfig)}`,
      "softbox train --help lists keys, defaults and units.",
    );
  return result.data;
}
