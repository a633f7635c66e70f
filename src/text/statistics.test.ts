import fc from "fast-check";
import { expect, test } from "vitest";
import { createCorpus } from "./corpus.ts";
import { corpusStatistics, countCharacters } from "./statistics.ts";
import { createTokenizer } from "./tokenizer.ts";

test("statistics count characters, bytes, lines, documents and tokens", () => {
  const corpus = createCorpus("tiny", ["aab\n", "é🐋"]);
  expect(corpusStatistics(corpus, createTokenizer("char", corpus.text), 3)).toEqual({
    name: "tiny",
    characters: 7,
    bytes: 11,
    lines: 3,
    documents: 2,
    tokenizer: "char",
    tokens: 7,
    vocabSize: 5,
    vocabularyUsed: 5,
    bytesPerToken: 11 / 7,
    unigramNatsPerToken: expect.closeTo((-4 * Math.log(2 / 7) - 3 * Math.log(1 / 7)) / 7, 12),
    unigramBitsPerByte: expect.closeTo((-4 * Math.log2(2 / 7) - 3 * Math.log2(1 / 7)) / 11, 12),
    mostFrequent: [
      { id: 0, text: "␤", count: 2 },
      { id: 1, text: "a", count: 2 },
      { id: 2, text: "b", count: 1 },
    ],
  });
});

test("parts of characters are shown by their bytes", () => {
  const corpus = createCorpus("whale", ["🐋"]);
  const { mostFrequent } = corpusStatistics(corpus, createTokenizer("byte", ""));
  expect(mostFrequent.map(({ text }) => text)).toEqual(["\\x8b", "\\x90", "\\x9f", "\\xf0"]);
});

test("characters are counted as code points", () => {
  const units = fc.array(fc.nat(0xffff)).map((codes) => String.fromCharCode(...codes));
  const check = (text: string) => {
    expect(countCharacters(text)).toBe([...text].length);
  };
  fc.assert(fc.property(fc.string({ unit: "grapheme" }), check));
  fc.assert(fc.property(units, check));
});
