/** @file The names of GPT-2's tensors: ours, Hugging Face's, GGUF's. Both of ours and theirs hold kernels as `[I, O]`; GGUF turns them. */

/** One tensor under its three names. */
export interface TensorName {
  readonly ours: string;
  readonly huggingFace: string;
  readonly gguf: string;
  /** A kernel `[I, O]`, which GGUF holds as `[O, I]`. */
  readonly kernel?: true;
}

type Triple = readonly [ours: string, huggingFace: string, gguf: string];

/** A norm's two vectors. */
const norm = ([ours, huggingFace, gguf]: Triple): TensorName[] => [
  { ours: `${ours}.gain`, huggingFace: `${huggingFace}.weight`, gguf: `${gguf}.weight` },
  { ours: `${ours}.bias`, huggingFace: `${huggingFace}.bias`, gguf: `${gguf}.bias` },
];

/** An affine map's kernel and bias. */
const linear = ([ours, huggingFace, gguf]: Triple): TensorName[] => [
  { ours: `${ours}.kernel`, huggingFace: `${huggingFace}.weight`, gguf: `${gguf}.weight`, kernel: true },
  { ours: `${ours}.bias`, huggingFace: `${huggingFace}.bias`, gguf: `${gguf}.bias` },
];

function block(i: number): TensorName[] {
  const named = (ours: string, huggingFace: string, gguf: string): Triple => [
    `trunk.blocks.${i}.${ours}`,
    `transformer.h.${i}.${huggingFace}`,
    `blk.${i}.${gguf}`,
  ];
  return [
    ...norm(named("attentionNorm", "ln_1", "attn_norm")),
    ...linear(named("attention.qkv", "attn.c_attn", "attn_qkv")),
    ...linear(named("attention.output", "attn.c_proj", "attn_output")),
    ...norm(named("feedForwardNorm", "ln_2", "ffn_norm")),
    ...linear(named("feedForward.expand", "mlp.c_fc", "ffn_up")),
    ...linear(named("feedForward.contract", "mlp.c_proj", "ffn_down")),
  ];
}

/** All tensors of a GPT-2 of so many layers. @param tied - the output table is the token embedding, and not stored twice. */
export const gpt2Tensors = (layers: number, tied: boolean): TensorName[] => [
  { ours: "trunk.tokenEmbedding", huggingFace: "transformer.wte.weight", gguf: "token_embd.weight" },
  { ours: "trunk.positionEmbedding", huggingFace: "transformer.wpe.weight", gguf: "position_embd.weight" },
  ...Array.from({ length: layers }, (_, i) => block(i)).flat(),
  ...norm(["trunk.finalNorm", "transformer.ln_f", "output_norm"]),
  ...(tied ? [] : [{ ours: "output.table", huggingFace: "lm_head.weight", gguf: "output.weight" }]),
];
