/**
 * @file The `gpt2-compact` tokenizer: GPT-2's tokens without those the corpus never uses.
 *
 * Ids are renumbered by frequency, most frequent first (ties by GPT-2 id); the last id stands for everything else.
 * A smaller vocabulary with the same cuts: the output layer shrinks, the text's tokens do not change.
 */
import { z } from "zod";
import { assembleTokenizer, formVersion, parseTokenizerJson, type TokenizerFamily, wellFormed } from "./base.ts";
import { encodeGpt2, gpt2TokenBytes, gpt2VocabSize } from "./gpt2.ts";

const schema = z.strictObject({
  kind: z.literal("gpt2-compact"),
  version: formVersion,
  /** The GPT-2 id of each of our ids but the last. */
  gpt2: z
    .array(
      z
        .int()
        .min(0)
        .max(gpt2VocabSize - 1),
    )
    .min(1)
    .refine((ids) => new Set(ids).size === ids.length, "must be different ids"),
});

export const gpt2Compact: TokenizerFamily = {
  learn: (text) => createCompactTokenizer(idsByFrequency(encodeGpt2(wellFormed(text)))),
  fromJson: (json) => createCompactTokenizer(parseTokenizerJson(schema, json).gpt2),
};

function createCompactTokenizer(gpt2: readonly number[]) {
  const unknown = gpt2.length;
  const ours = new Int32Array(gpt2VocabSize).fill(unknown);
  for (const [id, gpt2Id] of gpt2.entries()) ours[gpt2Id] = id;
  return assembleTokenizer({
    json: { kind: "gpt2-compact", version: 1, gpt2 },
    vocabSize: gpt2.length + 1,
    unknown,
    encode: (text) => encodeGpt2(text).map((gpt2Id) => ours[gpt2Id]!),
    bytes: (id) => (id === unknown ? Buffer.from("\ufffd") : gpt2TokenBytes(gpt2[id]!)),
  });
}

function idsByFrequency(ids: Int32Array): number[] {
  const counts = new Int32Array(gpt2VocabSize);
  for (const id of ids) counts[id]!++;
  const used = Array.from(counts.keys()).filter((id) => counts[id]! > 0);
  return used.sort((a, b) => counts[b]! - counts[a]! || a - b);
}
