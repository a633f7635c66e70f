/** @file What a byte-level byte-pair tokenizer consists of, in the form that other programs take; the other way, a tokenizer from it. */
import type { Tokenizer } from "./tokenizer.ts";
import { letterOfByte } from "./tokenizers/alphabet.ts";
import type { BpeJson } from "./tokenizers/bpe.ts";
import { gpt2Words } from "./tokenizers/gpt2.ts";

export interface BytePairs {
  /** By id, in the letters of GPT-2's alphabet, those of `special` as plain text. */
  readonly tokens: readonly string[];
  /** Pairs of tokens that are joined, the earliest learned first. */
  readonly merges: readonly (readonly [string, string])[];
  /** Tokens that no text encodes to, by name. */
  readonly special: Readonly<Record<string, number>>;
}

/** The tables of a tokenizer, or undefined where it is no byte-level byte-pair encoding. Bytes alone are one without pairs. */
export function bytePairsOf(tokenizer: Tokenizer): BytePairs | undefined {
  const { kind, special } = tokenizer;
  if (kind === "byte") return { tokens: letterOfByte, merges: [], special };
  if (kind === "bpe") return tokenizer.toJSON() as unknown as BpeJson;
  if (kind !== "gpt2") return undefined;
  const { words, pairs } = gpt2Words();
  return { tokens: [...words, ...Object.keys(special)], merges: pairs, special };
}
