/** @file What a model is made of: the one source of names, defaults and limits. */
import { z } from "zod";
import { SandboxError } from "../engine/errors.ts";
import { describeIssues } from "../engine/issues.ts";
import { expectFittingCutoffs, HeadConfig, OutputConfig } from "./heads/config.ts";

const size = (description: string) => z.int().positive().max(1_000_000).describe(description);

const transformerFields = {
  kind: z.literal("transformer"),
  contextLength: size("tokens seen at once (T)").default(64),
  embedSize: size("features a token (E)").default(128),
  layers: size("blocks of attention and feed-forward (L)").default(4),
  heads: size("attention heads a block (H)").default(4),
  keyValueHeads: size(
    "keys and values a block, each shared by as many heads (G); where absent as many as heads",
  ).optional(),
  attention: z
    .enum(["softmax", "softmax1", "sigmoid", "sparsemax", "entmax15"])
    .default("softmax")
    .describe("what turns attention scores into weights"),
  window: z
    .int()
    .min(0)
    .max(1_000_000)
    .default(0)
    .describe("tokens that a position sees in a block, itself included; 0: the whole context"),
  positions: z
    .enum(["learned", "rotary", "alibi", "none"])
    .default("learned")
    .describe(
      "what tells positions apart: a learned table, turned queries and keys, scores that fall with the distance, or the causal mask alone",
    ),
  norm: z.enum(["layer", "rms"]).default("layer").describe("norm before each layer: layer norm or RMS norm"),
  feedForward: z.enum(["gelu", "swiglu"]).default("gelu").describe("layer after attention: GELU or SwiGLU"),
  feedForwardSize: size("width of that layer inside (F); where absent 4E, for SwiGLU about 8E/3").optional(),
  dropout: z.number().min(0).lt(1).default(0).describe("share of embedding and residual activations dropped, 0..1"),
  attentionDropout: z.number().min(0).lt(1).default(0).describe("share of attention weights dropped, 0..1"),
  head: HeadConfig.default({ kind: "softmax" }),
  output: OutputConfig.prefault({}),
};
interface Heads {
  readonly embedSize: number;
  readonly heads: number;
  readonly keyValueHeads?: number | undefined;
  readonly positions: string;
  readonly window: number;
  readonly contextLength: number;
}
/** Queries, keys and values must fall into heads, and under rotary positions these into pairs; a window lies in the context. */
function checkHeads({ value, issues }: z.core.ParsePayload<Heads>): void {
  const { embedSize, heads, keyValueHeads, positions, window, contextLength } = value;
  const add = (key: keyof Heads, message: string) =>
    issues.push({ code: "custom", path: [key], message, input: value[key] });
  if (heads % (keyValueHeads ?? heads) !== 0) add("keyValueHeads", `must divide heads, which is ${heads}`);
  if (window > contextLength) add("window", `must be at most contextLength, which is ${contextLength}`);
  if (embedSize % heads !== 0) add("heads", "must divide embedSize");
  else if (positions === "rotary" && (embedSize / heads) % 2 !== 0)
    add("positions", "rotary needs an even number of features a head (embedSize / heads)");
}

const Transformer = z.strictObject({ ...transformerFields, vocabSize: size("distinct tokens (V)") }).check(checkHeads);

const dropped = (description: string) => z.number().min(0).lt(1).default(0).describe(`${description}, 0..1`);
const penalty = (description: string) => z.number().min(0).max(1000).default(0).describe(description);

const recurrentFields = {
  contextLength: size("steps that gradients go back (T)").default(35),
  embedSize: size("features a token (E)").default(128),
  hiddenSizes: z
    .array(size("units of a layer (U)"))
    .min(1)
    .max(64)
    .default([256, 256])
    .describe("units of each layer (U), the first layer first"),
  dropout: dropped("share of the last layer's outputs dropped, the same at all steps of a sequence"),
  inputDropout: dropped("share of token features dropped, the same at all steps"),
  betweenDropout: dropped("share of what passes from layer to layer dropped, the same at all steps"),
  embeddingDropout: dropped("share of the vocabulary whose embedding is dropped"),
  weightDropout: dropped("share of the recurrent weights dropped"),
  activationPenalty: penalty("α of activation regularisation: times the mean square of the last layer's outputs"),
  temporalPenalty: penalty("β of temporal activation regularisation: times the mean square of their change a step"),
  head: HeadConfig.default({ kind: "softmax" }),
  output: OutputConfig.prefault({}),
};
const lstmFields = {
  kind: z.literal("lstm"),
  ...recurrentFields,
  forgetBias: z.number().min(-100).max(100).default(1).describe("bias of fresh forget gates"),
};
const gruFields = { kind: z.literal("gru"), ...recurrentFields };

const vocabulary = { vocabSize: size("distinct tokens (V)") };
const Lstm = z.strictObject({ ...lstmFields, ...vocabulary });
const Gru = z.strictObject({ ...gruFields, ...vocabulary });

/** A model whose vocabulary is not known yet: what a recipe holds. */
export const ModelRecipe = z.discriminatedUnion("kind", [
  z.strictObject(transformerFields).check(checkHeads),
  z.strictObject(lstmFields),
  z.strictObject(gruFields),
]);

export type ModelRecipe = z.infer<typeof ModelRecipe>;

/** Configuration of a model, by family. */
export const ModelConfig = z.discriminatedUnion("kind", [Transformer, Lstm, Gru]);
export type ModelConfig = z.infer<typeof ModelConfig>;
export type TransformerConfig = z.infer<typeof Transformer>;
export type RecurrentConfig = z.infer<typeof Lstm> | z.infer<typeof Gru>;

/** Whether anything of a model is dropped at random while it trains. */
export const hasDropout = (config: ModelConfig): boolean =>
  config.kind === "transformer"
    ? config.dropout > 0 || config.attentionDropout > 0
    : [config.dropout, config.inputDropout, config.betweenDropout, config.embeddingDropout, config.weightDropout].some(
        (share) => share > 0,
      );

/** Reads a model configuration. @throws {SandboxError} naming every wrong key by its path. */
export function parseModelConfig(raw: unknown): ModelConfig {
  const result = ModelConfig.safeParse(raw);
  if (!result.success)
    throw new SandboxError(`model config:\n${describeIssues(result.error, raw)}`, "Correct the keys named above.");
  const { head, vocabSize } = result.data;
  if (head.kind === "adaptive") expectFittingCutoffs(head.cutoffs, vocabSize);
  return result.data;
}
