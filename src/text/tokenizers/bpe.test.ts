import { expect, test } from "vitest";
import { bytePairsOf } from "../bytePairs.ts";
import { createTokenizer, tokenizerFromJson } from "../tokenizer.ts";
import { letterOfByte } from "./alphabet.ts";

const json = (words: readonly string[], merges: readonly [string, string][], special = {}) => ({
  kind: "bpe",
  version: 1,
  tokens: [...letterOfByte, ...words, ...Object.keys(special)],
  merges,
  special,
});

test("ids need not be in the order in which pairs were learned", () => {
  const merges: [string, string][] = [
    ["a", "b"],
    ["b", "c"],
    ["ab", "c"],
  ];
  const tokenizer = tokenizerFromJson(json(["abc", "bc", "ab"], merges));
  const words = (text: string) => Array.from(tokenizer.encode(text), (id) => tokenizer.decode([id]));
  expect(words("abc bc ab")).toEqual(["abc", " ", "bc", " ", "ab"]);
  expect([...tokenizer.encode("abc")]).toEqual([256]);
  const long = `${"ab".repeat(15)}abc`; // beyond what is joined by looking at all pairs
  expect(words(long)).toEqual([...Array.from({ length: 15 }, () => "ab"), "abc"]);
});

test("two pairs may become one token", () => {
  const merges: [string, string][] = [
    ["b", "c"],
    ["a", "bc"],
    ["x", "a"],
    ["a", "b"],
    ["ab", "c"],
  ];
  const tokenizer = tokenizerFromJson(json(["bc", "abc", "xa", "ab"], merges));
  expect([...tokenizer.encode("abc")]).toEqual([257]);
  expect([...tokenizer.encode("xabc")]).toEqual([120, 257]); // bc is earlier than xa, and a with bc too
});

test("GPT-2's own tables do what the gpt2 tokenizer does", () => {
  const gpt2 = createTokenizer("gpt2", "");
  const same = tokenizerFromJson({ kind: "bpe", version: 1, ...bytePairsOf(gpt2)! });
  const text = "Call me Ishmael. Some years ago—never mind how long précisément\n\n\t 12,345 don't 🐋";
  expect([...same.encode(text)]).toEqual([...gpt2.encode(text)]);
  expect(same.special).toEqual(gpt2.special);
  expect(same.decode(gpt2.encode(text))).toBe(text);
});

test.each<[string, object, string]>([
  ["a byte that has no token", { tokens: [...letterOfByte.slice(1), "aa"] }, 'it has no token "Ā"'],
  [
    "a word outside the alphabet",
    { tokens: [...letterOfByte, "鯨"] },
    'token 256, "鯨", is no word of GPT-2\'s alphabet',
  ],
  ["a token twice", { tokens: [...letterOfByte, "a"] }, "tokens 97 and 256 are the same"],
  ["a pair of what is no token", { merges: [["a", "b"]] }, 'it has no token "ab"'],
  ["a special token under another name", { special: { b: 97 } }, 'special token 97 is called "b" and "a"'],
  ["a special token beyond the last", { special: { b: 300 } }, "special token 300 is beyond the last token"],
  ["too few tokens", { tokens: ["a"] }, "tokenizer.tokens"],
])("%s is refused", (_, changes, message) => {
  expect(() => tokenizerFromJson({ ...json([], []), ...changes })).toThrow(message);
});

test("it cannot be made from a text", () => {
  expect(() => createTokenizer("bpe", "text")).toThrow("it comes along with a model that was imported");
});
