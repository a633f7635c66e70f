import { expect, test } from "vitest";
import { SandboxError } from "../../engine/errors.ts";
import { createTokenizer } from "../tokenizer.ts";
import { encodeGpt2 } from "./gpt2.ts";
import { applyMerges, pairKey } from "./merges.ts";

test("char ids are the code points of the corpus in ascending order", () => {
  const tokenizer = createTokenizer("char", "banana 🐋\n");
  expect(tokenizer.toJSON()).toEqual({ kind: "char", version: 1, characters: "\n abn🐋" });
  expect(Array.from(tokenizer.encode("nab🐋"))).toEqual([4, 2, 3, 5]);
  expect(tokenizer.unknown).toBeUndefined();
});

test("a character that the char tokenizer lacks is named with its place", () => {
  const encode = () => createTokenizer("char", "abc\n 🐋").encode("ab\n🐋 é");
  expect(encode).toThrow(SandboxError);
  expect(encode).toThrowErrorMatchingInlineSnapshot(
    `[SandboxError: text: every character must be one of the 6 that the char tokenizer knows, got "é" (U+00E9) at line 2, column 3]`,
  );
});

test("a character that would move the cursor is named visibly", () => {
  const encode = (text: string) => () => createTokenizer("char", "abc").encode(text);
  expect(encode("\n")).toThrow(/got "␤" \(U\+000A\) at line 1, column 1/);
  expect(encode("a\u009b")).toThrow(/got "\\x9b" \(U\+009B\) at line 1, column 2/);
});

test("byte ids are UTF-8 bytes", () => {
  const tokenizer = createTokenizer("byte", "");
  expect(tokenizer.vocabSize).toBe(256);
  expect(Array.from(tokenizer.encode("Aé"))).toEqual([0x41, 0xc3, 0xa9]);
});

test("compact ids run by frequency, ties by GPT-2 id, and the last is unknown", () => {
  const text = " the the the whale whale a b";
  const tokenizer = createTokenizer("gpt2-compact", text);
  const [the, , , whale, , a, b] = encodeGpt2(text);
  const rest = [a!, b!].sort((x, y) => x - y);
  expect(tokenizer.toJSON()).toEqual({ kind: "gpt2-compact", version: 1, gpt2: [the, whale, ...rest] });
  expect(tokenizer.vocabSize).toBe(5);
  expect(tokenizer.unknown).toBe(4);
  expect(Array.from(tokenizer.encode(" the ship"))).toEqual([0, 4]);
  expect(tokenizer.decode([0, 4])).toBe(" the\ufffd");
});

test("pairs are joined in the order learned, from the left", () => {
  const [a, b] = [0, 1];
  const aa = 2;
  const ab = 3;
  const aaab = 4;
  const ranks = new Map([
    [pairKey(a, a), aa],
    [pairKey(a, b), ab],
    [pairKey(aa, ab), aaab],
  ]);
  const merges = { ranks };
  expect(applyMerges([a, a, a], merges)).toEqual([aa, a]);
  expect(applyMerges([a, a, b], merges)).toEqual([aa, b]);
  expect(applyMerges([a, a, a, b], merges)).toEqual([aaab]);
  expect(applyMerges([], merges)).toEqual([]);
});

test("words run by frequency, lines end in <eos>, and beyond the vocabulary all is <unk>", () => {
  const text = " the whale \n the  whale , the sea\n";
  const whole = createTokenizer("word", text);
  expect(whole.toJSON()).toEqual({
    kind: "word",
    version: 1,
    words: ["the", "<eos>", "whale", ",", "sea", "<unk>"],
  });
  expect(Array.from(whole.encode("the ship\nwhale"))).toEqual([0, 5, 1, 2]);
  expect(whole.decode(whole.encode(text))).toBe("the whale \nthe whale , the sea \n");
  const cut = createTokenizer("word:4", text);
  // Two words are cut, so <unk> stands for two tokens.
  expect(cut.toJSON().words).toEqual(["the", "<eos>", "<unk>", "whale"]);
  expect(cut.decode(cut.encode("sea the\n"))).toBe("<unk> the \n");
  expect(cut.unknown).toBe(2);
});

test("<unk> and <eos> that a text brings along are those of the vocabulary", () => {
  const tokenizer = createTokenizer("word", "a <unk> a <unk> b <unk>\n");
  expect(tokenizer.toJSON().words).toEqual(["<unk>", "a", "<eos>", "b"]);
  expect(Array.from(tokenizer.encode("c <eos> <unk>"))).toEqual([0, 2, 0]);
});

test("decoded words encode to the same ids", () => {
  const tokenizer = createTokenizer("word:6", "one two two three three three\nfour  four\tfour four\r\n five");
  const ids = tokenizer.encode("four three\n\n two nine one");
  expect(tokenizer.encode(tokenizer.decode(ids))).toEqual(ids);
});
