/** @file A GPT-2 as a GGUF file that llama.cpp runs: architecture `gpt2`, with its tokenizer. */
import type { NumberType } from "../lm/checkpoint/numberTypes.ts";
import { type TensorSource, type TensorSources, transposed } from "../lm/checkpoint/tensorSource.ts";
import type { TransformerConfig } from "../lm/config.ts";
import type { BytePairs } from "../text/bytePairs.ts";
import { encodeGguf, type GgufTensor, type GgufValue } from "./gguf.ts";
import { gpt2Epsilon } from "./gpt2Layout.ts";
import { type Gpt2Tensor, gpt2Tensors } from "./gpt2Tensors.ts";

/** `llama_ftype`: how most numbers of a file are stored. */
const fileTypes: Readonly<Record<NumberType, number>> = { float32: 0, float16: 1, bfloat16: 32 };

/** `llama_token_type`. */
const tokenTypes = { normal: 1, control: 3 } as const;

/** A GPT-2 with its tokenizer, on its way out. */
export interface Gpt2Model {
  readonly name: string;
  readonly config: TransformerConfig;
  /** By our names. */
  readonly tensors: TensorSources;
  readonly tokenizer: BytePairs;
}

/** The file's bytes in order. @param type - how matrices are stored; vectors and positions stay float32, as llama.cpp wants. */
export function encodeGpt2Gguf(
  { name, config, tensors, tokenizer }: Gpt2Model,
  type: NumberType,
): AsyncGenerator<Uint8Array> {
  const values = new Map([...modelValues(name, config, type), ...tokenizerValues(tokenizer)]);
  const named = gpt2Tensors(config);
  return encodeGguf(values, new Map(named.map((tensor) => [tensor.gguf, storedTensor(tensor, tensors, type)])));
}

function storedTensor({ ours, kernel }: Gpt2Tensor, tensors: TensorSources, type: NumberType): GgufTensor {
  const source = tensors.get(ours) as TensorSource;
  const isNarrow = source.shape.length === 2 && ours !== "trunk.positionEmbedding";
  return { source: kernel ? transposed(source) : source, type: isNarrow ? type : "float32" };
}

function modelValues(name: string, config: TransformerConfig, type: NumberType): [string, GgufValue][] {
  const { contextLength, embedSize, layers, heads } = config;
  return [
    ["general.architecture", { string: "gpt2" }],
    ["general.name", { string: name }],
    ["general.file_type", { uint32: fileTypes[type] }],
    ["gpt2.context_length", { uint32: contextLength }],
    ["gpt2.embedding_length", { uint32: embedSize }],
    ["gpt2.feed_forward_length", { uint32: 4 * embedSize }],
    ["gpt2.block_count", { uint32: layers }],
    ["gpt2.attention.head_count", { uint32: heads }],
    ["gpt2.attention.layer_norm_epsilon", { float32: gpt2Epsilon }],
  ];
}

function tokenizerValues({ tokens, merges, special }: BytePairs): [string, GgufValue][] {
  const control = new Set(Object.values(special));
  const end = special["<|endoftext|>"];
  return [
    ["tokenizer.ggml.model", { string: "gpt2" }],
    ["tokenizer.ggml.pre", { string: "gpt-2" }],
    ["tokenizer.ggml.tokens", { strings: tokens }],
    [
      "tokenizer.ggml.token_type",
      { int32s: tokens.map((_, id) => (control.has(id) ? tokenTypes.control : tokenTypes.normal)) },
    ],
    ["tokenizer.ggml.merges", { strings: merges.map((pair) => pair.join(" ")) }],
    ["tokenizer.ggml.add_bos_token", { bool: false }],
    ...(end === undefined
      ? []
      : ([
          ["tokenizer.ggml.bos_token_id", { uint32: end }],
          ["tokenizer.ggml.eos_token_id", { uint32: end }],
        ] as [string, GgufValue][])),
  ];
}
