/** @file The `byte` tokenizer: an id is a UTF-8 byte. Nothing is unknown and nothing is learned. */
import { z } from "zod";
import { assembleTokenizer, formVersion, parseTokenizerJson, type TokenizerFamily } from "./base.ts";

const schema = z.strictObject({ kind: z.literal("byte"), version: formVersion });

export const byte: TokenizerFamily = {
  learn: () => createByteTokenizer(),
  fromJson: (json) => {
    parseTokenizerJson(schema, json);
    return createByteTokenizer();
  },
};

const createByteTokenizer = () =>
  assembleTokenizer({
    json: { kind: "byte", version: 1 },
    vocabSize: 256,
    encode: (text) => Int32Array.from(Buffer.from(text)),
    bytes: (id) => Uint8Array.of(id),
  });
