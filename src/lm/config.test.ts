import { expect, test } from "vitest";
import { parseModelConfig } from "./config.ts";

const transformer = { kind: "transformer", vocabSize: 11 };

test("a configuration that says nothing of attention, as those of older runs, means plain softmax attention", () => {
  const { attention, window, positions, keyValueHeads, attentionDropout } = parseModelConfig(transformer) as never;
  expect({ attention, window, positions, keyValueHeads, attentionDropout }).toEqual({
    attention: "softmax",
    window: 0,
    positions: "learned",
    keyValueHeads: undefined,
    attentionDropout: 0,
  });
});

test("forms of attention that cannot be are refused by name", () => {
  const refusal = (changes: object): string => {
    try {
      parseModelConfig({ ...transformer, ...changes });
    } catch (error) {
      return (error as Error).message;
    }
    return "none";
  };
  expect(refusal({ keyValueHeads: 3, window: 65 })).toMatchInlineSnapshot(`
    "model config:
      keyValueHeads: must divide heads, which is 4, got 3
      window: must be at most contextLength, which is 64, got 65"
  `);
  expect(refusal({ attention: "relu" })).toMatchInlineSnapshot(`
    "model config:
      attention: expected softmax or softmax1 or sigmoid or sparsemax or entmax15, got "relu""
  `);
  expect(refusal({ heads: 4, embedSize: 12, positions: "rotary" })).toMatchInlineSnapshot(`
    "model config:
      positions: rotary needs an even number of features a head (embedSize / heads), got "rotary""
  `);
  expect(refusal({ kind: "lstm", window: 8 })).toMatchInlineSnapshot(`
    "model config:
      window: there is no such key"
  `);
  expect(refusal({ keyValueHeads: 2, window: 64, attention: "entmax15", positions: "alibi" })).toBe("none");
});
