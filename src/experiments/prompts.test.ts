import { expect, test } from "vitest";
import { createTokenizer } from "../text/tokenizer.ts";
import { gapAfter, knownPrompt } from "./prompts.ts";

const text = "the white whale\nthe ship\n";

test.each([
  ["word", "the whale", " "],
  ["word", "the squid", " "],
  ["word", "the whale ", ""],
  ["word", "the\n", ""],
  ["word", "", ""],
  ["char", "the whale", ""],
  ["byte", "the whale", ""],
  ["gpt2", "the whale", ""],
] as const)("with the tokenizer %s, between %o and what follows stands %o", (kind, prompt, gap) => {
  expect(gapAfter(prompt, createTokenizer(kind, text))).toBe(gap);
});

test("a recipe's prompt that the text lacks gives way to the first token that the model knows", () => {
  const tokenizer = createTokenizer("char", "abc abc");
  expect(knownPrompt("abc", tokenizer)).toBe("abc");
  expect(tokenizer.encode(knownPrompt("\n", tokenizer))).toHaveLength(1);
});
