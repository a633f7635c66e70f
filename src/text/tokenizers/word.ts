/**
 * @file The `word` tokenizer, for the classic tables (Penn Treebank, WikiText): what stands between spaces is a word, the end of a line
 * is `<eos>`, and words beyond the vocabulary are `<unk>`. It is not byte-exact: decoding puts one space behind every word.
 *
 * Ids run by frequency, most frequent first (ties by code point), `<eos>` and `<unk>` among them; a vocabulary may be cut to a size.
 */
import { z } from "zod";
import { SandboxError } from "../../engine/errors.ts";
import { assembleTokenizer, formVersion, parseTokenizerJson, type TokenizerFamily, wellFormed } from "./base.ts";

const unknownWord = "<unk>";
const lineEnd = "<eos>";

const schema = z.strictObject({
  kind: z.literal("word"),
  version: formVersion,
  words: z
    .array(z.string().regex(/^\S+$/, "must be words without spaces"))
    .refine((words) => new Set(words).size === words.length, "must be different words")
    .refine(
      (words) => words.includes(unknownWord) && words.includes(lineEnd),
      `must hold ${unknownWord} and ${lineEnd}`,
    ),
});

export const word: TokenizerFamily = {
  learn: (text, size) => createWordTokenizer(wordsByFrequency(wordsOf(wellFormed(text)), size)),
  fromJson: (json) => createWordTokenizer(parseTokenizerJson(schema, json).words),
};

function createWordTokenizer(words: readonly string[]) {
  const idOf = new Map(words.map((text, id) => [text, id]));
  const unknown = idOf.get(unknownWord)!;
  return assembleTokenizer({
    json: { kind: "word", version: 1, words },
    vocabSize: words.length,
    unknown,
    encode: (text) => Int32Array.from(wordsOf(text), (each) => idOf.get(each) ?? unknown),
    bytes: (id) => Buffer.from(words[id] === lineEnd ? "\n" : `${words[id]} `),
  });
}

/** Words and line ends in order; a last line without an end has none. */
function wordsOf(text: string): string[] {
  const lines = text.split("\n");
  const last = lines.pop()!;
  const split = (line: string): string[] => line.split(/\s+/u).filter((each) => each !== "");
  const words: string[] = [];
  for (const line of lines) {
    for (const each of split(line)) words.push(each);
    words.push(lineEnd);
  }
  for (const each of split(last)) words.push(each);
  return words;
}

/** The most frequent words, `size` at most, `<unk>` counted as often as it stands for what is cut. */
function wordsByFrequency(words: readonly string[], size = Number.POSITIVE_INFINITY): string[] {
  if (size < 3) throw new SandboxError(`tokenizer word: must have at least 3 words, got ${size}`, "Type word:10000.");
  const counts = new Map<string, number>([
    [unknownWord, 0],
    [lineEnd, 0],
  ]);
  for (const each of words) counts.set(each, (counts.get(each) ?? 0) + 1);
  const order = (a: string, b: string): number => counts.get(b)! - counts.get(a)! || (a < b ? -1 : 1);
  const ordinary = [...counts.keys()].filter((each) => each !== unknownWord && each !== lineEnd).sort(order);
  const kept = ordinary.slice(0, size - 2);
  const cut = ordinary.slice(kept.length).reduce((sum, each) => sum + counts.get(each)!, 0);
  counts.set(unknownWord, counts.get(unknownWord)! + cut);
  return [...kept, unknownWord, lineEnd].sort(order);
}
