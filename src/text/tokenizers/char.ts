/**
 * @file The `char` tokenizer: an id is a Unicode code point of the corpus, in ascending order.
 *
 * No unknown id (tiny Shakespeare gives nanoGPT's 65), so a character the corpus lacks is an error.
 */
import { z } from "zod";
import { SandboxError } from "../../engine/errors.ts";
import { printableToken } from "../printable.ts";
import { assembleTokenizer, formVersion, parseTokenizerJson, type TokenizerFamily, wellFormed } from "./base.ts";

const schema = z.strictObject({
  kind: z.literal("char"),
  version: formVersion,
  characters: z
    .string()
    .min(1)
    .refine((text) => sortedCharacters(text) === text, "must be different characters in ascending order"),
});

export const char: TokenizerFamily = {
  learn: (text) => createCharTokenizer(sortedCharacters(text)),
  fromJson: (json) => createCharTokenizer(parseTokenizerJson(schema, json).characters),
};

function createCharTokenizer(characters: string) {
  const codes = Array.from(characters, codeOf);
  const idOf = new Map(codes.map((code, id) => [code, id]));
  return assembleTokenizer({
    json: { kind: "char", version: 1, characters },
    vocabSize: codes.length,
    encode: (text) => encodeCharacters(text, idOf),
    bytes: (id) => Buffer.from(String.fromCodePoint(codes[id]!)),
  });
}

/** The different code points of a text, ascending, as one string. */
function sortedCharacters(text: string): string {
  const codes = new Set<number>();
  for (const character of wellFormed(text)) codes.add(codeOf(character));
  return [...codes]
    .sort((a, b) => a - b)
    .map((code) => String.fromCodePoint(code))
    .join("");
}

function encodeCharacters(text: string, idOf: ReadonlyMap<number, number>): Int32Array {
  const ids = new Int32Array(text.length);
  let count = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.codePointAt(at)!;
    const id = idOf.get(code);
    if (id === undefined) throw unknownCharacter(text, at, idOf.size);
    ids[count++] = id;
    if (code > 0xffff) at++;
  }
  return ids.slice(0, count);
}

function unknownCharacter(text: string, at: number, vocabSize: number): SandboxError {
  const character = String.fromCodePoint(text.codePointAt(at)!);
  const before = text.slice(0, at).split("\n");
  const place = `line ${before.length}, column ${[...before.at(-1)!].length + 1}`;
  const name = `"${printableToken(character)}" (U+${codeOf(character).toString(16).toUpperCase().padStart(4, "0")})`;
  return new SandboxError(
    `text: every character must be one of the ${vocabSize} that the char tokenizer knows, got ${name} at ${place}`,
    "Leave the character out, or train with the byte or gpt2 tokenizer, which know every text.",
  );
}

const codeOf = (character: string): number => character.codePointAt(0)!;
