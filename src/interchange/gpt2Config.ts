/** @file GPT-2's config.json, as Hugging Face's transformers write it, and our configuration of the same model. */
import { z } from "zod";
import { SandboxError } from "../engine/errors.ts";
import { describeIssues } from "../engine/issues.ts";
import type { TransformerConfig } from "../lm/config.ts";
import { gpt2Epsilon } from "./gpt2Layout.ts";

/** Names of one function, GELU in its tanh form. */
const geluNames = ["gelu_new", "gelu_pytorch_tanh", "gelu_fast"];

const size = (value: number) => z.int().positive().max(1_000_000).default(value);
const share = z.number().min(0).lt(1).default(0.1);
/** A key that changes what is computed, and that we compute in one way only. */
const only = <T>(value: T) =>
  z
    .unknown()
    .optional()
    .refine((given) => (given ?? value) === value, `must be ${JSON.stringify(value)}; nothing else is supported`);

/** Absent keys have the values that transformers give them. */
const schema = z
  .looseObject({
    model_type: only("gpt2"),
    vocab_size: size(50_257),
    n_positions: size(1024),
    n_embd: size(768),
    n_layer: size(12),
    n_head: size(12),
    n_inner: z.int().positive().nullish(),
    activation_function: z.string().default("gelu_new"),
    layer_norm_epsilon: only(gpt2Epsilon),
    resid_pdrop: share,
    scale_attn_weights: only(true),
    scale_attn_by_inverse_layer_idx: only(false),
    add_cross_attention: only(false),
    quantization_config: only(null),
    tie_word_embeddings: z.boolean().default(true),
  })
  .superRefine(({ n_embd, n_head, n_inner, activation_function }, context) => {
    const add = (key: string, message: string): void =>
      context.addIssue({ code: "custom", path: [key], message, input: key });
    if (n_embd % n_head !== 0) add("n_head", "must divide n_embd");
    if ((n_inner ?? 4 * n_embd) !== 4 * n_embd) add("n_inner", "must be 4 × n_embd; nothing else is supported");
    if (!geluNames.includes(activation_function))
      add(
        "activation_function",
        `must be ${geluNames[0]} (GELU in its tanh form); ${activation_function} is not supported`,
      );
  });

/**
 * Reads a config.json.
 *
 * @throws {SandboxError} naming every key that is wrong or asks for what our transformer does not compute.
 */
export function readGpt2Config(where: string, raw: unknown): TransformerConfig {
  const type = (raw as { model_type?: unknown } | null)?.model_type;
  if (typeof type === "string" && type !== "gpt2")
    throw new SandboxError(`${where}: expected a model of type gpt2, got ${type}`, "Only GPT-2 can be imported.");
  const result = schema.safeParse(raw);
  if (!result.success)
    throw new SandboxError(`${where}:\n${describeIssues(result.error, raw)}`, "Only GPT-2's own form can be imported.");
  const { vocab_size, n_positions, n_embd, n_layer, n_head, resid_pdrop, tie_word_embeddings } = result.data;
  return {
    kind: "transformer",
    vocabSize: vocab_size,
    contextLength: n_positions,
    embedSize: n_embd,
    layers: n_layer,
    heads: n_head,
    attention: "softmax",
    window: 0,
    positions: "learned",
    norm: "layer",
    feedForward: "gelu",
    dropout: resid_pdrop,
    attentionDropout: 0, // its attn_pdrop would keep the weights of every head in memory: asked for by --set
    head: { kind: "softmax" },
    output: { tied: tie_word_embeddings, bias: false, softcap: 0, scale: 1 },
  };
}

/** The config.json of a model. @param end - id of the token that ends a text; null where there is none. */
export const writeGpt2Config = (config: TransformerConfig, end: number | null, dtype: string): object => ({
  architectures: ["GPT2LMHeadModel"],
  model_type: "gpt2",
  dtype,
  vocab_size: config.vocabSize,
  n_positions: config.contextLength,
  n_embd: config.embedSize,
  n_layer: config.layers,
  n_head: config.heads,
  n_inner: null,
  activation_function: geluNames[0],
  layer_norm_epsilon: gpt2Epsilon,
  embd_pdrop: config.dropout,
  resid_pdrop: config.dropout,
  attn_pdrop: config.attentionDropout,
  tie_word_embeddings: config.output.tied,
  bos_token_id: end,
  eos_token_id: end,
});
