/** @file A token by itself, as it reads. */
import { printableBytes } from "../../text/printable.ts";
import type { Tokenizer } from "../../text/tokenizer.ts";

/** The token's text; bytes of half a character in hexadecimal. */
export function tokenName(tokenizer: Tokenizer, id: number): string {
  const text = tokenizer.decode([id]);
  return text.includes("\ufffd") ? printableBytes(tokenizer.tokenBytes(id)) : text;
}
