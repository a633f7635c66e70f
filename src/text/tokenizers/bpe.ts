/**
 * @file The `bpe` tokenizer: byte-level byte-pair encoding with tables of somebody else's, which come along with a model that
 * was imported. It cuts text as GPT-2 does (`bytePairEncoder.ts`); what it has learned stands in its JSON form.
 */
import { z } from "zod";
import { SandboxError } from "../../engine/errors.ts";
import { bytesOfWord, letterOfByte } from "./alphabet.ts";
import { assembleTokenizer, formVersion, parseTokenizerJson, type TokenizerFamily } from "./base.ts";
import { createBytePairEncoder, type LearnedPairs } from "./bytePairEncoder.ts";
import { mostTokens, pairKey } from "./merges.ts";

const schema = z.strictObject({
  kind: z.literal("bpe"),
  version: formVersion,
  /** Tokens by id, in the letters of GPT-2's alphabet, those of `special` as plain text. */
  tokens: z.array(z.string().min(1)).min(256).max(mostTokens),
  /** Pairs of tokens that are joined, the earliest learned first. */
  merges: z.array(z.tuple([z.string(), z.string()])),
  /** Tokens that no text encodes to, by name. */
  special: z.record(z.string(), z.int().nonnegative()),
});
export type BpeJson = z.infer<typeof schema>;

export const bpe: TokenizerFamily = {
  learn: () => {
    throw new SandboxError(
      "tokenizer bpe: it comes along with a model that was imported, and cannot be made from a text",
      "Choose another kind, or go on from such a model: softbox train --from <run>.",
    );
  },
  fromJson: (json) => createBpeTokenizer(parseTokenizerJson(schema, json)),
};

function createBpeTokenizer(json: BpeJson) {
  const special = new Map(Object.entries(json.special).map(([name, id]) => [id, name]));
  const bytes = json.tokens.map((word, id) => {
    const name = special.get(id);
    if (name === undefined)
      return bytesOfWord(word) ?? refuse(`token ${id}, ${JSON.stringify(word)}, is no word of GPT-2's alphabet`);
    return name === word
      ? Buffer.from(name)
      : refuse(`special token ${id} is called ${JSON.stringify(name)} and ${JSON.stringify(word)}`);
  });
  for (const id of special.keys()) if (id >= json.tokens.length) refuse(`special token ${id} is beyond the last token`);
  const pairs = learnedPairs(json, special);
  return assembleTokenizer({
    json: { kind: "bpe", version: 1, tokens: json.tokens, merges: json.merges, special: json.special },
    vocabSize: json.tokens.length,
    special: json.special,
    encode: createBytePairEncoder(() => pairs),
    bytes: (id) => bytes[id]!,
  });
}

function learnedPairs({ tokens, merges }: BpeJson, special: ReadonlyMap<number, string>): LearnedPairs {
  const idOf = new Map<string, number>();
  for (const [id, word] of tokens.entries()) {
    if (special.has(id)) continue;
    if (idOf.has(word)) refuse(`tokens ${idOf.get(word)} and ${id} are the same, ${JSON.stringify(word)}`);
    idOf.set(word, id);
  }
  const idOfWord = (word: string): number => idOf.get(word) ?? refuse(`it has no token ${JSON.stringify(word)}`);
  const ranks = new Map<number, number>();
  const joined = merges.map(([left, right], rank) => {
    const key = pairKey(idOfWord(left), idOfWord(right));
    if (!ranks.has(key)) ranks.set(key, rank);
    return idOfWord(left + right);
  });
  return { idOfByte: letterOfByte.map(idOfWord), merges: { ranks, tokens: joined } };
}

function refuse(what: string): never {
  throw new SandboxError(`tokenizer: ${what}`, "Use the tokenizer's files that belong to the model.");
}
