/** @file What a user may set when sampling: names, ranges, defaults. */
import { z } from "zod";
import { SandboxError } from "../engine/errors.ts";
import { describeIssues } from "../engine/issues.ts";

export const SamplingSettings = z.strictObject({
  temperature: z
    .number()
    .min(0)
    .max(1000)
    .default(1)
    .describe("divides log-probabilities: below 1 sharpens, above 1 flattens, 0 always takes the likeliest"),
  topK: z.int().min(0).default(0).describe("keep the K likeliest tokens; 0 = off"),
  topP: z
    .number()
    .gt(0)
    .max(1)
    .default(1)
    .describe("keep the fewest tokens that together reach this probability; 1 = off"),
  minP: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe("keep tokens at least this share as likely as the likeliest; 0 = off"),
  seed: z.int().min(0).default(1).describe("fixes the text"),
});
export type SamplingSettings = z.infer<typeof SamplingSettings>;

/** Reads settings. @throws {SandboxError} naming every one that is out of range. */
export function parseSamplingSettings(raw: unknown): SamplingSettings {
  const result = SamplingSettings.safeParse(raw);
  if (!result.success)
    throw new SandboxError(
      `sampling:\n${describeIssues(result.error, raw)}`,
      "temperature >= 0 · top-k a whole number >= 0 · top-p in (0, 1] · min-p in [0, 1] · seed a whole number >= 0",
    );
  return result.data;
}
