import fc from "fast-check";
import { expect, test } from "vitest";
import { splitNames, splitText } from "./splits.ts";
import { wellFormed } from "./tokenizers/base.ts";
import { encodeGpt2 } from "./tokenizers/gpt2.ts";

const shares = { train: 0.8, validation: 0.1, calibration: 0.1 };
const words = fc.constantFrom("whale", " ship", "\n", "\n\n", "\r\n", " ", "  ", "🐋", "don't", ".", "\t", "\n \n");
const prose = fc.array(words, { maxLength: 400 }).map((parts) => parts.join(""));
const anyShares = fc
  .tuple(fc.nat(10), fc.nat(10), fc.nat(10))
  .filter((parts) => parts.some((part) => part > 0))
  .map(([a, b, c]) => ({ train: a / (a + b + c), validation: b / (a + b + c), calibration: c / (a + b + c) }));

test("the splits put together are the text, whatever the text and the shares", () => {
  fc.assert(
    fc.property(fc.oneof(prose, fc.string({ unit: "binary" })), anyShares, (text, parts) => {
      const splits = splitText(text, parts);
      expect(splitNames.map((name) => splits[name]).join("")).toBe(text);
      for (const name of splitNames) if (parts[name] === 0) expect(splits[name]).toBe("");
    }),
  );
});

test("no character is cut", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), anyShares, (text, parts) => {
      const splits = splitText(wellFormed(text), parts);
      for (const name of splitNames) expect(wellFormed(splits[name])).toBe(splits[name]);
    }),
  );
});

test("tokens of the splits are the tokens of the text, wherever there are lines or words", () => {
  fc.assert(
    fc.property(fc.array(words, { minLength: 100, maxLength: 400 }), (parts) => {
      const text = parts.map((part) => `${part} x`).join("");
      const splits = splitText(text, shares);
      const joined = splitNames.flatMap((name) => Array.from(encodeGpt2(splits[name])));
      expect(joined).toEqual(Array.from(encodeGpt2(text)));
    }),
  );
});

test("a cut falls at the end of a line near its share, before the newline", () => {
  const line = `${"word ".repeat(12)}end\n`;
  const text = line.repeat(1000);
  const { train, validation, calibration } = splitText(text, shares);
  expect(train.endsWith("end")).toBe(true);
  expect(validation.startsWith("\nword")).toBe(true);
  expect(Math.abs(train.length / text.length - 0.8)).toBeLessThan(0.001);
  expect(Math.abs(calibration.length / text.length - 0.1)).toBeLessThan(0.001);
});

test("without lines it falls at a word's end, without words exactly at its share", () => {
  expect(splitText("abcdefgh ".repeat(100), shares).train.endsWith("abcdefgh")).toBe(true);
  expect(splitText("a".repeat(1000), shares).train).toHaveLength(800);
  expect(splitText("🐋".repeat(5), { train: 0.5, validation: 0.5, calibration: 0 }).train).toBe("🐋🐋");
});

test("shares that are no parts of a whole are refused", () => {
  const split = (train: number, validation: number, calibration: number) => () =>
    splitText("text", { train, validation, calibration });
  expect(split(0.9, 0.2, 0.1)).toThrowErrorMatchingInlineSnapshot(
    `[SandboxError: splits: shares must be from 0 to 1 and sum to 1, got train 0.9, validation 0.2, calibration 0.1]`,
  );
  expect(split(1.5, -0.5, 0)).toThrow(/from 0 to 1/);
  expect(split(Number.NaN, 0.5, 0.5)).toThrow(/from 0 to 1/);
  expect(split(0.9, 0.05, 0.05)).not.toThrow();
});
