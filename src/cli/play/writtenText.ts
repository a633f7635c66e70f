/** @file A text that grows token by token, each with what it reads as; and how to send only what changed of it. */
import { createStreamDecoder, type StreamDecoder, type Tokenizer } from "../../text/tokenizer.ts";
import type { TextToken } from "../../tui/play/port.ts";

/** A token without its text, which depends on its neighbours. */
export type Placed = Omit<TextToken, "text">;

/** A text; tokens stay the same objects as long as they stand where they are. */
export interface WrittenText {
  readonly tokens: readonly TextToken[];
  /** Has read just these tokens. */
  readonly decoder: StreamDecoder;
}

export function writeTokens(tokenizer: Tokenizer, placed: readonly Placed[]): WrittenText {
  const decoder = createStreamDecoder(tokenizer);
  return { tokens: placed.map((token) => ({ ...token, text: decoder.push(token.id) })), decoder };
}

/** The text with one more token. The decoder goes over to the new text: the old one can no longer grow. */
export function appendToken({ tokens, decoder }: WrittenText, token: Placed): WrittenText {
  return { tokens: [...tokens, { ...token, text: decoder.push(token.id) }], decoder };
}

/** The first `length` tokens. */
export function cutText(tokenizer: Tokenizer, { tokens }: WrittenText, length: number): WrittenText {
  const kept = tokens.slice(0, length);
  const decoder = createStreamDecoder(tokenizer);
  for (const { id } of kept) decoder.push(id);
  return { tokens: kept, decoder };
}

/** How a list of tokens became another one: some went at the start, some stayed, the rest is new. */
export interface Change {
  readonly dropped: number;
  readonly kept: number;
  readonly added: readonly TextToken[];
}

/** The change from one list to another; tokens that stayed are the same objects. */
export function changeOf(before: readonly TextToken[], after: readonly TextToken[]): Change {
  const dropped = after.length === 0 ? 0 : Math.max(0, before.indexOf(after[0]!));
  let kept = 0;
  while (kept < after.length && dropped + kept < before.length && before[dropped + kept] === after[kept]) kept++;
  return { dropped, kept, added: after.slice(kept) };
}

export const applyChange = (before: readonly TextToken[], { dropped, kept, added }: Change): readonly TextToken[] => [
  ...before.slice(dropped, dropped + kept),
  ...added,
];
