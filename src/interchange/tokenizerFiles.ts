/** @file The tokenizer files of a Hugging Face folder: tokenizer.json, or vocab.json with merges.txt; read and written. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { SandboxError } from "../engine/errors.ts";
import { describeIssues } from "../engine/issues.ts";
import type { BytePairs } from "../text/bytePairs.ts";
import { mostTokens } from "../text/tokenizers/merges.ts";
import { readJsonFile, readTextFile } from "./jsonFile.ts";

const endOfText = "<|endoftext|>";
const off = <T>(...values: T[]) =>
  z
    .unknown()
    .optional()
    .refine((value) => value === undefined || value === null || values.includes(value as T), "is not supported");

const Vocabulary = z.record(z.string(), z.int().nonnegative());
const Pair = z.union([
  z.tuple([z.string(), z.string()]),
  z.string().transform((line, context): [string, string] => {
    const parts = line.split(" ");
    if (parts.length !== 2) context.addIssue({ code: "custom", message: "must be two tokens", input: line });
    return parts as [string, string];
  }),
]);

/** A tokenizer.json that cuts and merges as GPT-2's does. */
const TokenizerJson = z.looseObject({
  model: z.looseObject({
    type: z.literal("BPE"),
    vocab: Vocabulary,
    merges: z.array(Pair),
    dropout: off(0),
    continuing_subword_prefix: off(""),
    end_of_word_suffix: off(""),
    byte_fallback: off(false),
    ignore_merges: off(false),
  }),
  normalizer: off(),
  pre_tokenizer: z.looseObject({
    type: z.literal("ByteLevel"),
    add_prefix_space: off(false),
    use_regex: off(true),
  }),
  added_tokens: z.array(z.looseObject({ id: z.int().nonnegative(), content: z.string().min(1) })).default([]),
});

/** Of tokenizer_config.json, what changes ids. */
const TokenizerConfig = z.looseObject({
  add_prefix_space: off(false),
  added_tokens_decoder: z.record(z.string(), z.looseObject({ content: z.string().min(1) })).default({}),
});

const hint = "Only byte-level byte-pair encodings that cut text as GPT-2 does can be read.";

function parse<T>(where: string, schema: z.ZodType<T>, raw: unknown): T {
  const result = schema.safeParse(raw);
  if (result.success) return result.data;
  throw new SandboxError(`${where}:\n${describeIssues(result.error, raw)}`, hint);
}

/**
 * Reads a folder's tokenizer.
 *
 * @returns undefined where there is none.
 * @throws {SandboxError} if its files are damaged, or ask for what our tokenizers do not do.
 */
export async function readTokenizerFiles(folder: string): Promise<BytePairs | undefined> {
  const file = (name: string): string => join(folder, name);
  if (existsSync(file("tokenizer.json"))) {
    const { model, added_tokens } = parse(
      file("tokenizer.json"),
      TokenizerJson,
      await readJsonFile(file("tokenizer.json")),
    );
    const added = added_tokens.map(({ id, content }): [string, number] => [content, id]);
    return assemble(file("tokenizer.json"), model.vocab, model.merges, added);
  }
  if (!existsSync(file("vocab.json")) || !existsSync(file("merges.txt"))) return undefined;
  const vocabulary = parse(file("vocab.json"), Vocabulary, await readJsonFile(file("vocab.json")));
  const lines = (await readTextFile(file("merges.txt")))
    .split(/\r?\n/)
    .filter((line) => line !== "" && !line.startsWith("#version"));
  const merges = parse(file("merges.txt"), z.array(Pair), lines);
  return assemble(file("vocab.json"), vocabulary, merges, await readAddedTokens(folder));
}

/** Tokens beside vocab.json's, by name, where the folder has files that tell of them. */
async function readAddedTokens(folder: string): Promise<[string, number][]> {
  const read = async <T>(name: string, schema: z.ZodType<T>): Promise<T> => {
    const path = join(folder, name);
    return parse(path, schema, existsSync(path) ? await readJsonFile(path) : {});
  };
  const added = Object.entries(await read("added_tokens.json", Vocabulary));
  const { added_tokens_decoder } = await read("tokenizer_config.json", TokenizerConfig);
  const decoder = Object.entries(added_tokens_decoder).map(([id, { content }]): [string, number] => [
    content,
    Number(id),
  ]);
  return [...added, ...decoder];
}

/** Tables from a vocabulary by token; `<|endoftext|>`, which no pair makes, is special without being told. */
function assemble(
  where: string,
  vocabulary: Readonly<Record<string, number>>,
  merges: readonly (readonly [string, string])[],
  added: readonly [string, number][],
): BytePairs {
  const special = Object.fromEntries(added);
  const end = vocabulary[endOfText];
  if (end !== undefined && !merges.some(([left, right]) => left + right === endOfText)) special[endOfText] = end;
  const tokens: string[] = [];
  for (const [token, id] of [...Object.entries(vocabulary), ...Object.entries(special)]) {
    if (id >= mostTokens)
      throw new SandboxError(`${where}: at most ${mostTokens} tokens are supported, got the id ${id}`, hint);
    if (tokens[id] !== undefined && tokens[id] !== token)
      throw new SandboxError(
        `${where}: ${JSON.stringify(tokens[id])} and ${JSON.stringify(token)} both have the id ${id}`,
        hint,
      );
    tokens[id] = token;
  }
  const gap = Array.from(tokens).indexOf(undefined as never);
  if (gap >= 0) throw new SandboxError(`${where}: no token has the id ${gap}`, hint);
  return { tokens, merges, special };
}

/** A folder's tokenizer files by name, as transformers write them. */
export function writeTokenizerFiles(
  { tokens, merges, special }: BytePairs,
  contextLength: number,
): Record<string, string> {
  const vocabulary = Object.fromEntries(tokens.map((token, id) => [token, id]));
  const added = Object.entries(special).map(([content, id]) => ({
    id,
    content,
    ...asGiven,
    normalized: false,
    special: true,
  }));
  const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };
  const ends = Object.hasOwn(special, endOfText);
  const whole = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: added,
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: { ...byteLevel, trim_offsets: false },
    decoder: byteLevel,
    model: { type: "BPE", dropout: null, unk_token: null, vocab: vocabulary, merges },
  };
  const config = {
    tokenizer_class: "GPT2Tokenizer",
    add_prefix_space: false,
    model_max_length: contextLength,
    ...(ends ? { bos_token: endOfText, eos_token: endOfText, unk_token: endOfText } : {}),
  };
  return {
    "tokenizer.json": JSON.stringify(whole),
    "tokenizer_config.json": `${JSON.stringify(config, null, 2)}\n`,
    "vocab.json": JSON.stringify(vocabulary),
    "merges.txt": ["#version: 0.2", ...merges.map((pair) => pair.join(" ")), ""].join("\n"),
  };
}

const asGiven = { single_word: false, lstrip: false, rstrip: false };
