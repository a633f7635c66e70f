/** @file Which of our tokenizers a table of byte pairs is. */
import { SandboxError } from "../engine/errors.ts";
import { type BytePairs, bytePairsOf } from "../text/bytePairs.ts";
import { createTokenizer, type Tokenizer, tokenizerFromJson } from "../text/tokenizer.ts";

/**
 * The tokenizer of a model: `gpt2` or `byte` where the tables are those, else `bpe` with the tables.
 *
 * @param vocabSize - the model's; ids that no token has (tables are often padded) get names of their own.
 * @throws {SandboxError} if the tables are damaged, or have more tokens than the model.
 */
export function tokenizerOf(where: string, pairs: BytePairs, vocabSize: number): Tokenizer {
  const { tokens, merges, special } = pairs;
  if (tokens.length > vocabSize)
    throw new SandboxError(
      `${where}: its tokenizer has ${tokens.length} tokens, its model ${vocabSize}`,
      "The tokenizer's files must belong to the model.",
    );
  const known = [createTokenizer("gpt2", ""), createTokenizer("byte", "")];
  const same = known.find((tokenizer) => tokenizer.vocabSize === vocabSize && areEqual(bytePairsOf(tokenizer)!, pairs));
  if (same) return same;
  const unused = Array.from({ length: vocabSize - tokens.length }, (_, i) => `<|unused-${tokens.length + i}|>`);
  const names = Object.fromEntries(unused.map((name, i) => [name, tokens.length + i]));
  return tokenizerFromJson({
    kind: "bpe",
    version: 1,
    tokens: [...tokens, ...unused],
    merges: merges.map((pair) => [...pair]),
    special: { ...special, ...names },
  });
}

const areEqual = (a: BytePairs, b: BytePairs): boolean =>
  String(a.tokens) === String(b.tokens) &&
  a.merges.length === b.merges.length &&
  a.merges.every(([left, right], i) => left === b.merges[i]![0] && right === b.merges[i]![1]) &&
  JSON.stringify(a.special) === JSON.stringify(b.special);
