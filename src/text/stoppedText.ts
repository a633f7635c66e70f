/** @file The text of tokens as they come, up to a stop string. Whole characters only. */
import { createStreamDecoder, type Tokenizer } from "./tokenizer.ts";

export interface StoppedText {
  /** The text that is certain now: no part of a character, nothing that may be the beginning of a stop string. */
  push(id: number): string;
  /** What was held back, once no more tokens come; "" after a stop string. */
  end(): string;
  /** A stop string came, or the end. */
  readonly over: boolean;
}

/** Ends a text before the first of some strings. @param stops - none of them empty. */
export function createStoppedText(tokenizer: Tokenizer, stops: readonly string[]): StoppedText {
  const decoder = createStreamDecoder(tokenizer);
  let held = "";
  let over = false;
  const take = (more: string, isEnd: boolean): string => {
    held += more;
    const found = stops.map((stop) => held.indexOf(stop)).filter((at) => at >= 0);
    over = found.length > 0 || isEnd;
    const sure = found.length > 0 ? Math.min(...found) : held.length - (isEnd ? 0 : openEnd(held, stops));
    const text = held.slice(0, sure);
    held = over ? "" : held.slice(sure);
    return text;
  };
  return {
    push: (id) => (over ? "" : take(decoder.push(id), false)),
    end: () => (over ? "" : take(decoder.end(), true)),
    get over() {
      return over;
    },
  };
}

/** How many last characters of a text may be the beginning of a stop string. */
function openEnd(text: string, stops: readonly string[]): number {
  let longest = 0;
  for (const stop of stops)
    for (let length = 1; length < stop.length && length <= text.length; length++)
      if (stop.startsWith(text.slice(text.length - length))) longest = Math.max(longest, length);
  return longest;
}
