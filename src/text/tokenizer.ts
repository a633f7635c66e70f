/**
 * @file The face of the tokenizers: text to ids and back, byte for byte.
 *
 * Knows neither corpora nor tensors. A new kind is a new file in `tokenizers/` and one line in `families`.
 */
import { z } from "zod";
import { SandboxError } from "../engine/errors.ts";
import type { TokenizerFamily } from "./tokenizers/base.ts";
import { bpe } from "./tokenizers/bpe.ts";
import { byte } from "./tokenizers/byte.ts";
import { char } from "./tokenizers/char.ts";
import { gpt2Compact } from "./tokenizers/compact.ts";
import { gpt2 } from "./tokenizers/gpt2.ts";
import { word } from "./tokenizers/word.ts";

/** Kinds that are made for a corpus. */
const made = { gpt2, "gpt2-compact": gpt2Compact, char, byte, word } satisfies Record<string, TokenizerFamily>;
/** Those, and kinds that only come along with a model. */
const families = { ...made, bpe } satisfies Record<string, TokenizerFamily>;

export type TokenizerKind = keyof typeof families;

/** The kinds that can be made for a corpus. */
export const tokenizerKinds = Object.keys(made) as (keyof typeof made)[];
const allKinds = Object.keys(families) as [TokenizerKind, ...TokenizerKind[]];

/** What is saved with a checkpoint: the kind, the version of the form, and whatever that kind has learned. */
export interface TokenizerJson {
  readonly kind: TokenizerKind;
  readonly version: number;
  readonly [learned: string]: unknown;
}

export interface EncodeOptions {
  /** Read the names in `special` (such as `<|endoftext|>`) as one token each; default false: as plain text. */
  readonly special?: boolean | undefined;
}

/** Text to ids and back. Immutable; lone surrogates, which are no text, are read as U+FFFD by every kind. */
export interface Tokenizer {
  readonly kind: TokenizerKind;
  /** Ids run from 0 to `vocabSize - 1`. */
  readonly vocabSize: number;
  /** SHA-256 (hex) of the JSON form: equal for tokenizers that do the same. */
  readonly hash: string;
  /** Tokens with a meaning of their own, by name; empty for kinds that have none. */
  readonly special: Readonly<Record<string, number>>;
  /** The id that stands for what this vocabulary lacks; absent where nothing can be lacking or lacking is an error. */
  readonly unknown?: number;
  /** @throws {SandboxError} for a character that the kind lacks, if it has no unknown id. */
  encode(text: string, options?: EncodeOptions): Int32Array;
  /** A token's bytes, which may be a part of a UTF-8 character. @throws {RangeError} on an id out of range. */
  tokenBytes(id: number): Uint8Array;
  /** The text of the ids' bytes; U+FFFD where they are not UTF-8. @throws {RangeError} on an id out of range. */
  decode(ids: Iterable<number>): string;
  toJSON(): TokenizerJson;
}

/** A kind, or `word:N` for the N most frequent words. */
export type TokenizerName = TokenizerKind | `word:${number}`;

/** What a user may type. */
export const tokenizerNames = [...tokenizerKinds, "word:N"].join(", ");

export const isTokenizerName = (name: string): name is TokenizerName =>
  Object.hasOwn(families, name) || /^word:([3-9]|[1-9]\d{1,6})$/.test(name);

/**
 * Makes a tokenizer.
 *
 * @param text - the whole corpus, for the kinds that learn from it (`gpt2-compact`, `char`, `word`).
 */
export function createTokenizer(name: TokenizerName, text: string): Tokenizer {
  const [kind, size] = name.split(":") as [TokenizerKind, string | undefined];
  return families[kind].learn(text, size === undefined ? undefined : Number(size));
}

const header = z.object({ kind: z.enum(allKinds), version: z.number() });

/** The tokenizer whose `toJSON` this is. @throws {SandboxError} if it is none of ours. */
export function tokenizerFromJson(json: unknown): Tokenizer {
  const parsed = header.safeParse(json);
  if (!parsed.success) {
    throw new SandboxError(
      `tokenizer: must be JSON with a kind (${allKinds.join(", ")}) and a version`,
      "Use the tokenizer.json that was saved with the checkpoint.",
      { cause: parsed.error },
    );
  }
  return families[parsed.data.kind].fromJson(json);
}

/** Ids in, text out, as early as whole characters allow. */
export interface StreamDecoder {
  /** The text that this token completes; `""` in the middle of a character. */
  push(id: number): string;
  /** What is left: U+FFFD if the stream ends within a character, else `""`. */
  end(): string;
}

/** Decodes a stream of ids: only whole UTF-8 characters come out, and U+FFFD for bytes that can never become one. */
export function createStreamDecoder(tokenizer: Tokenizer): StreamDecoder {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  return {
    push: (id) => decoder.decode(tokenizer.tokenBytes(id), { stream: true }),
    end: () => decoder.decode(),
  };
}
