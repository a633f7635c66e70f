/**
 * @file GPT-2's tensors: their names, ours, Hugging Face's and GGUF's, and their shapes. We and Hugging Face hold kernels as
 * `[I, O]`; GGUF turns them.
 */
import type { TransformerConfig } from "../lm/config.ts";

/** One tensor under its three names. */
export interface Gpt2Tensor {
  readonly ours: string;
  readonly huggingFace: string;
  readonly gguf: string;
  /** Ours and Hugging Face's. */
  readonly shape: readonly number[];
  /** A kernel `[I, O]`, which GGUF holds as `[O, I]`. */
  readonly kernel?: true;
}

type Names = readonly [ours: string, huggingFace: string, gguf: string];

/** A norm's two vectors `[E]`. */
const norm = ([ours, huggingFace, gguf]: Names, E: number): Gpt2Tensor[] => [
  { ours: `${ours}.gain`, huggingFace: `${huggingFace}.weight`, gguf: `${gguf}.weight`, shape: [E] },
  { ours: `${ours}.bias`, huggingFace: `${huggingFace}.bias`, gguf: `${gguf}.bias`, shape: [E] },
];

/** An affine map's kernel `[I, O]` and bias `[O]`. */
const linear = ([ours, huggingFace, gguf]: Names, I: number, O: number): Gpt2Tensor[] => [
  { ours: `${ours}.kernel`, huggingFace: `${huggingFace}.weight`, gguf: `${gguf}.weight`, shape: [I, O], kernel: true },
  { ours: `${ours}.bias`, huggingFace: `${huggingFace}.bias`, gguf: `${gguf}.bias`, shape: [O] },
];

function block(i: number, E: number): Gpt2Tensor[] {
  const named = (ours: string, huggingFace: string, gguf: string): Names => [
    `trunk.blocks.${i}.${ours}`,
    `transformer.h.${i}.${huggingFace}`,
    `blk.${i}.${gguf}`,
  ];
  return [
    ...norm(named("attentionNorm", "ln_1", "attn_norm"), E),
    ...linear(named("attention.qkv", "attn.c_attn", "attn_qkv"), E, 3 * E),
    ...linear(named("attention.output", "attn.c_proj", "attn_output"), E, E),
    ...norm(named("feedForwardNorm", "ln_2", "ffn_norm"), E),
    ...linear(named("feedForward.expand", "mlp.c_fc", "ffn_up"), E, 4 * E),
    ...linear(named("feedForward.contract", "mlp.c_proj", "ffn_down"), 4 * E, E),
  ];
}

/** All tensors of a GPT-2 in the order of its layers. Where the output table is the token embedding it is not stored twice. */
export function gpt2Tensors(config: TransformerConfig): Gpt2Tensor[] {
  const { vocabSize: V, contextLength: T, embedSize: E, layers, output } = config;
  const table = (ours: string, huggingFace: string, gguf: string, rows: number): Gpt2Tensor => {
    return { ours, huggingFace, gguf, shape: [rows, E] };
  };
  return [
    table("trunk.tokenEmbedding", "transformer.wte.weight", "token_embd.weight", V),
    table("trunk.positionEmbedding", "transformer.wpe.weight", "position_embd.weight", T),
    ...Array.from({ length: layers }, (_, i) => block(i, E)).flat(),
    ...norm(["trunk.finalNorm", "transformer.ln_f", "output_norm"], E),
    ...(output.tied ? [] : [table("output.table", "lm_head.weight", "output.weight", V)]),
  ];
}
