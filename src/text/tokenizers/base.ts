/** @file What all tokenizers share: range checks, decoding, special names, the hash, and how their JSON is read. */
import { createHash } from "node:crypto";
import { z } from "zod";
import { SandboxError } from "../../engine/errors.ts";
import type { Tokenizer, TokenizerJson } from "../tokenizer.ts";

/** One kind of tokenizer, as the table in `tokenizer.ts` wants it. */
export interface TokenizerFamily {
  /** Makes one for a corpus; kinds that learn nothing ignore the text. @param size - largest vocabulary, for kinds that can be cut. */
  learn(text: string, size?: number): Tokenizer;
  /** Makes one from its JSON form. @throws {SandboxError} */
  fromJson(json: unknown): Tokenizer;
}

/** What a kind has to say for itself. */
export interface TokenizerParts {
  /** The canonical JSON form: its key order decides the hash. */
  readonly json: TokenizerJson;
  readonly vocabSize: number;
  readonly special?: Readonly<Record<string, number>>;
  readonly unknown?: number;
  /** Ids of well-formed text, special names not considered. */
  encode(text: string): Int32Array;
  /** Bytes of an id in range. */
  bytes(id: number): Uint8Array;
}

/** A tokenizer from its parts. */
export function assembleTokenizer(parts: TokenizerParts): Tokenizer {
  const { json, vocabSize, special = {} } = parts;
  const tokenBytes = (id: number): Uint8Array => {
    if (Number.isInteger(id) && id >= 0 && id < vocabSize) return parts.bytes(id);
    throw new RangeError(`${json.kind} tokenizer: an id must be an integer from 0 to ${vocabSize - 1}, got ${id}`);
  };
  return {
    kind: json.kind,
    vocabSize,
    hash: createHash("sha256").update(JSON.stringify(json)).digest("hex"),
    special,
    ...(parts.unknown === undefined ? {} : { unknown: parts.unknown }),
    encode: (text, options) =>
      options?.special ? encodeWithSpecial(text, special, parts.encode) : parts.encode(wellFormed(text)),
    tokenBytes,
    decode: (ids) => decodeBytes(Array.from(ids, tokenBytes)),
    toJSON: () => json,
  };
}

/** Text as UTF-8 can carry it: lone surrogates become U+FFFD. */
export function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, "\ufffd");
}

/** The version of the JSON forms; another one is a later softbox's. */
export const formVersion = z.literal(1, { error: "must be 1, or a newer softbox is needed" });

/** Reads a tokenizer's JSON form. @throws {SandboxError} naming the first thing that is wrong. */
export function parseTokenizerJson<T>(schema: z.ZodType<T>, json: unknown): T {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0]!;
  const where = ["tokenizer", ...path].join(".");
  throw new SandboxError(`${where}: ${message}`, "Use the tokenizer.json that was saved with the checkpoint.", {
    cause: parsed.error,
  });
}

function decodeBytes(pieces: Uint8Array[]): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(Buffer.concat(pieces));
}

/** Cuts the text at the special names; longer names first, so that one may begin another. */
function encodeWithSpecial(
  text: string,
  special: Readonly<Record<string, number>>,
  encode: (text: string) => Int32Array,
): Int32Array {
  const names = Object.keys(special).sort((a, b) => b.length - a.length);
  if (names.length === 0) return encode(wellFormed(text));
  const pieces = text.split(new RegExp(`(${names.map(escapeForRegExp).join("|")})`));
  return joinIds(pieces.map((piece, i) => (i % 2 === 1 ? Int32Array.of(special[piece]!) : encode(wellFormed(piece)))));
}

const escapeForRegExp = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

function joinIds(pieces: readonly Int32Array[]): Int32Array {
  const joined = new Int32Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let length = 0;
  for (const piece of pieces) {
    joined.set(piece, length);
    length += piece.length;
  }
  return joined;
}
