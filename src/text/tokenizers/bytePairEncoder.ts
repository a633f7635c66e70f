/** @file Text to ids by byte-level byte-pair encoding: cut as GPT-2 cuts it, each piece merged on its own and remembered. */
import { applyMerges, type Merges } from "./merges.ts";

/** What a tokenizer has learned. */
export interface LearnedPairs {
  /** The token of each byte. */
  readonly idOfByte: ArrayLike<number>;
  readonly merges: Merges;
}

/** GPT-2 cuts text with this expression, which leaves no character out, and encodes each match on its own. */
const matches = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;

const longestRemembered = 64;
const mostRemembered = 65_536;

/** Encodes well-formed text. @param pairs - asked at first use. */
export function createBytePairEncoder(pairs: () => LearnedPairs): (text: string) => Int32Array {
  const remembered = new Map<string, readonly number[]>();

  const encodeMatch = (match: string): readonly number[] => {
    const bytes = Buffer.from(match);
    const { idOfByte, merges } = pairs();
    const tokens = applyMerges(
      Array.from(bytes, (byte) => idOfByte[byte]!),
      merges,
    );
    if (match.length > longestRemembered) return tokens;
    if (remembered.size >= mostRemembered) remembered.clear();
    remembered.set(bytes.toString(), tokens); // a copy: a slice would keep the whole text alive
    return tokens;
  };

  return (text) => {
    let ids = new Int32Array(Math.ceil(text.length / 3) + 16);
    let count = 0;
    matches.lastIndex = 0;
    for (let from = 0; matches.test(text); from = matches.lastIndex) {
      const match = text.slice(from, matches.lastIndex);
      const tokens = remembered.get(match) ?? encodeMatch(match);
      if (count + tokens.length > ids.length) {
        const larger = new Int32Array(2 * ids.length + tokens.length);
        larger.set(ids);
        ids = larger;
      }
      for (const token of tokens) ids[count++] = token;
    }
    return ids.slice(0, count);
  };
}
