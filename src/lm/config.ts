/** @file What a model is made of: the one source of names, defaults and limits. */
import { z } from "zod";
import { SandboxError } from "../engine/errors.ts";
import { describeIssues } from "../engine/issues.ts";
import { HeadConfig, OutputConfig } from "./heads/config.ts";

const size = (description: string) => z.int().positive().max(1_000_000).describe(description);

const transformerFields = {
  kind: z.literal("transformer"),
  contextLength: size("tokens seen at once (T)").default(64),
  embedSize: size("features a token (E)").default(128),
  layers: size("blocks of attention and feed-forward (L)").default(4),
  heads: size("attention heads a block (H)").default(4),
  dropout: z.number().min(0).lt(1).default(0).describe("share of embedding and residual activations dropped, 0..1"),
  head: HeadConfig.default({ kind: "softmax" }),
  output: OutputConfig.prefault({}),
};
const headsDivide = (c: { embedSize: number; heads: number }): boolean => c.embedSize % c.heads === 0;
const headsMessage = { path: ["heads"], message: "must divide embedSize" };

const Transformer = z
  .strictObject({ ...transformerFields, vocabSize: size("distinct tokens (V)") })
  .refine(headsDivide, headsMessage);

/** A model whose vocabulary is not known yet: what a recipe holds. */
export const ModelRecipe = z.discriminatedUnion("kind", [
  z.strictObject(transformerFields).refine(headsDivide, headsMessage),
]);

/** Configuration of a model, by family. */
export const ModelConfig = z.discriminatedUnion("kind", [Transformer]);
export type ModelConfig = z.infer<typeof ModelConfig>;
export type TransformerConfig = z.infer<typeof Transformer>;

/** Reads a model configuration. @throws {SandboxError} naming every wrong key by its path. */
export function parseModelConfig(raw: unknown): ModelConfig {
  const result = ModelConfig.safeParse(raw);
  if (!result.success)
    throw new SandboxError(`model config:\n${describeIssues(result.error, raw)}`, "Correct the keys named above.");
  return result.data;
}
