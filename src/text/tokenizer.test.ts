import fc from "fast-check";
import { expect, test } from "vitest";
import { SandboxError } from "../engine/errors.ts";
import { createStreamDecoder, createTokenizer, tokenizerFromJson, tokenizerKinds } from "./tokenizer.ts";
import { wellFormed } from "./tokenizers/base.ts";

const sample = "The whale, the whale! Ünïcödé 鯨 🐋👨‍👩‍👧 \u200d\ufeff \r\n\t don't 1851\n\n  end  ";
const anyText = fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" }), fc.string());
const sixteenBitUnits = fc.array(fc.nat(0xffff)).map((units) => String.fromCharCode(...units));

const message = (action: () => unknown): string => {
  try {
    action();
  } catch (error) {
    if (error instanceof SandboxError) return `${error.message}\n${error.hint}`;
    return String(error);
  }
  return "no error";
};

const exactKinds = tokenizerKinds.filter((kind) => kind !== "word");

test.each(exactKinds)("%s gives its own corpus back", (kind) => {
  const tokenizer = createTokenizer(kind, sample);
  expect(tokenizer.kind).toBe(kind);
  const ids = tokenizer.encode(sample);
  expect(tokenizer.decode(ids)).toBe(sample);
  expect(Math.max(...ids)).toBeLessThan(tokenizer.vocabSize);
  expect(Buffer.concat(Array.from(ids, tokenizer.tokenBytes)).toString()).toBe(sample);
});

test.each(["gpt2", "byte"] as const)("%s gives any text back, lone surrogates as U+FFFD", (kind) => {
  const tokenizer = createTokenizer(kind, "");
  const check = (text: string) => {
    expect(tokenizer.decode(tokenizer.encode(text))).toBe(wellFormed(text));
  };
  fc.assert(fc.property(anyText, check));
  fc.assert(fc.property(sixteenBitUnits, check));
  expect(tokenizer.decode(tokenizer.encode("a\ud800b"))).toBe("a\ufffdb");
});

test.each(["char", "gpt2-compact"] as const)("%s gives any text back that it learned from", (kind) => {
  const check = (text: string) => {
    const tokenizer = createTokenizer(kind, text);
    expect(tokenizer.decode(tokenizer.encode(text))).toBe(wellFormed(text));
  };
  fc.assert(fc.property(anyText, check), { numRuns: 30 });
  fc.assert(fc.property(sixteenBitUnits, check), { numRuns: 30 });
});

test.each(tokenizerKinds)("%s survives JSON with its hash, and does the same", (kind) => {
  const tokenizer = createTokenizer(kind, sample);
  const again = tokenizerFromJson(JSON.parse(JSON.stringify(tokenizer)));
  expect(again.hash).toBe(tokenizer.hash);
  expect(again.vocabSize).toBe(tokenizer.vocabSize);
  expect(again.encode(sample)).toEqual(tokenizer.encode(sample));
});

test("tokenizers that learned differently have different hashes", () => {
  const made = [...tokenizerKinds.map((kind) => createTokenizer(kind, "ab")), createTokenizer("char", "abc")];
  const hashes = new Set(made.map(({ hash }) => hash));
  expect(hashes.size).toBe(made.length);
});

test.each(tokenizerKinds)("%s refuses ids that it does not have", (kind) => {
  const tokenizer = createTokenizer(kind, sample);
  for (const id of [-1, tokenizer.vocabSize, 0.5, Number.NaN]) {
    expect(() => tokenizer.tokenBytes(id)).toThrow(RangeError);
    expect(() => tokenizer.decode([id])).toThrow(/an id must be an integer from 0 to/);
  }
});

test("what is no tokenizer is refused by what is wrong with it", () => {
  const nonsense = [
    null,
    { kind: "syllable", version: 1 },
    { kind: "byte", version: 2 },
    { kind: "char", version: 1, characters: "ba" },
    { kind: "gpt2-compact", version: 1, gpt2: [1, 1] },
    { kind: "gpt2-compact", version: 1, gpt2: [50257] },
    { kind: "gpt2", version: 1, more: true },
    { kind: "word", version: 1, words: ["a"] },
    { kind: "word", version: 1, words: ["<unk>", "<eos>", "a b"] },
  ];
  const messages = nonsense.map((json) => message(() => tokenizerFromJson(json)).split("\n")[0]);
  expect(messages).toMatchInlineSnapshot(`
    [
      "tokenizer: must be JSON with a kind (gpt2, gpt2-compact, char, byte, word, bpe) and a version",
      "tokenizer: must be JSON with a kind (gpt2, gpt2-compact, char, byte, word, bpe) and a version",
      "tokenizer.version: must be 1, or a newer softbox is needed",
      "tokenizer.characters: must be different characters in ascending order",
      "tokenizer.gpt2: must be different ids",
      "tokenizer.gpt2.0: Too big: expected number to be <=50256",
      "tokenizer: Unrecognized key: "more"",
      "tokenizer.words: must hold <unk> and <eos>",
      "tokenizer.words.2: must be words without spaces",
    ]
  `);
  expect(() => tokenizerFromJson(undefined)).toThrow(SandboxError);
});

test("fuzzed JSON gives a tokenizer or a SandboxError, nothing else", () => {
  const kind = fc.constantFrom(...tokenizerKinds);
  const json = fc.record({
    kind,
    version: fc.constantFrom(1, 2),
    characters: fc.anything(),
    gpt2: fc.anything(),
    words: fc.anything(),
  });
  fc.assert(
    fc.property(fc.oneof(json, fc.anything()), (value) => {
      expect(message(() => tokenizerFromJson(value))).not.toMatch(/^(TypeError|RangeError)/);
    }),
  );
});

test("only whole characters come out of a stream, and together they are the decoded text", () => {
  const tokenizer = createTokenizer("gpt2", "");
  const anyIds = fc.array(fc.nat(tokenizer.vocabSize - 1));
  const idsOfText = anyText.map((text) => Array.from(tokenizer.encode(text)));
  fc.assert(
    fc.property(fc.oneof(anyIds, idsOfText), (ids) => {
      const decoder = createStreamDecoder(tokenizer);
      const pieces = [...ids.map(decoder.push), decoder.end()];
      expect(pieces.join("")).toBe(tokenizer.decode(ids));
      expect(pieces.every((piece) => wellFormed(piece) === piece)).toBe(true);
    }),
  );
});

test("a stream waits for the rest of a character and never shows half of it", () => {
  const decoder = createStreamDecoder(createTokenizer("byte", ""));
  expect([0xf0, 0x9f, 0x90, 0x8b, 0x41].map(decoder.push)).toEqual(["", "", "", "🐋", "A"]);
  expect([0xe2, 0x41].map(decoder.push)).toEqual(["", "\ufffdA"]);
  expect([decoder.push(0xff), decoder.push(0xc3), decoder.end()]).toEqual(["\ufffd", "", "\ufffd"]);
  expect([0xef, 0xbb, 0xbf].map(decoder.push).join("")).toBe("\ufeff");
});
