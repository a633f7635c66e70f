/**
 * @file GPT-2's alphabet, in which every byte is one printable letter: visible Latin-1 bytes stand for themselves and come first,
 * the rest from U+0100 on. Tables of byte-pair tokenizers are written in it everywhere.
 */

const all = Array.from({ length: 256 }, (_, byte) => byte);
const isVisible = (byte: number): boolean => (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte !== 0xad);
const hidden = all.filter((byte) => !isVisible(byte));

/** The bytes in the order of GPT-2's first 256 tokens. */
export const bytesInOrder: readonly number[] = [...all.filter(isVisible), ...hidden];

/** The letter of each byte. */
export const letterOfByte: readonly string[] = all.map((byte) =>
  String.fromCharCode(isVisible(byte) ? byte : 256 + hidden.indexOf(byte)),
);

/** The byte of each letter. */
const byteOfLetter: ReadonlyMap<string, number> = new Map(letterOfByte.map((letter, byte) => [letter, byte]));

/** The bytes that a word of the alphabet stands for; undefined where a letter is not of it. */
export function bytesOfWord(word: string): Uint8Array | undefined {
  const bytes = Array.from(word, (letter) => byteOfLetter.get(letter));
  return bytes.includes(undefined) ? undefined : Uint8Array.from(bytes as number[]);
}
