import fc from "fast-check";
import { expect, test } from "vitest";
import { createTokenizer } from "../../text/tokenizer.ts";
import { appendToken, applyChange, changeOf, cutText, type Placed, writeTokens } from "./writtenText.ts";

const tokenizer = createTokenizer("byte", "");
const placed = (text: string): Placed[] =>
  Array.from(tokenizer.encode(text), (id) => ({ id, probability: 0.5, source: "sampled" as const }));
const textOf = ({ tokens }: { tokens: readonly { text: string }[] }) => tokens.map(({ text }) => text).join("");

test("half a character reads as nothing until it is whole, however the text came about", () => {
  const all = placed("a鯨🐋b");
  const whole = writeTokens(tokenizer, all);
  expect(textOf(whole)).toBe("a鯨🐋b");
  const grown = all.slice(3).reduce(appendToken, writeTokens(tokenizer, all.slice(0, 3)));
  expect(grown.tokens).toEqual(whole.tokens);
  const again = all.slice(2).reduce(appendToken, cutText(tokenizer, whole, 2));
  expect(again.tokens).toEqual(whole.tokens);
});

test("a change, applied, gives the new list, and holds only what is new", () => {
  fc.assert(
    fc.property(fc.nat(30), fc.nat(30), fc.nat(10), fc.nat(5), (length, cut, more, window) => {
      const text = writeTokens(tokenizer, placed("x".repeat(length)));
      const before = text.tokens.slice(0);
      let after = cutText(tokenizer, text, Math.min(cut, length));
      for (const token of placed("y".repeat(more))) after = appendToken(after, token);
      const shown = after.tokens.slice(Math.min(window, after.tokens.length));
      const change = changeOf(before, shown);
      expect(applyChange(before, change)).toEqual(shown);
      const reused = shown.filter((token) => before.includes(token)).length;
      expect(change.added.length).toBe(shown.length - reused);
    }),
  );
});
