/** @file The files of a GPT-2 as transformers load them: configuration, weights, tokenizer. */
import type { Chunks } from "../engine/files.ts";
import type { NumberType } from "../lm/checkpoint/numberTypes.ts";
import { encodeSafetensors } from "../lm/checkpoint/safetensors.ts";
import { writeGpt2Config } from "./gpt2Config.ts";
import type { Gpt2Model } from "./gpt2Gguf.ts";
import { gpt2Tensors } from "./gpt2Tensors.ts";
import { writeTokenizerFiles } from "./tokenizerFiles.ts";

/** Names and contents, one after the other. @param type - how all numbers are stored. */
export function* huggingFaceFiles(model: Gpt2Model, type: NumberType): Generator<[name: string, content: Chunks]> {
  const { config, tensors, tokenizer } = model;
  const end = tokenizer.special["<|endoftext|>"] ?? null;
  yield ["config.json", json(writeGpt2Config(config, end, type))];
  if (end !== null) yield ["generation_config.json", json({ bos_token_id: end, eos_token_id: end })];
  const named = gpt2Tensors(config).map(({ ours, huggingFace }) => [huggingFace, tensors.get(ours)!] as const);
  yield ["model.safetensors", encodeSafetensors(new Map(named), { type, metadata: { format: "pt" } })];
  for (const [name, text] of Object.entries(writeTokenizerFiles(tokenizer, config.contextLength)))
    yield [name, [Buffer.from(text)]];
}

const json = (value: object): Uint8Array[] => [Buffer.from(`${JSON.stringify(value, null, 2)}\n`)];
