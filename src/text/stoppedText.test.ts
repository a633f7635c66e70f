import fc from "fast-check";
import { expect, test } from "vitest";
import { createStoppedText } from "./stoppedText.ts";
import { createTokenizer } from "./tokenizer.ts";

const tokenizer = createTokenizer("byte", "");

/** What comes of a text, byte by byte: pieces, the last of them the rest. */
function piecesOf(text: string, stops: readonly string[]): string[] {
  const stopped = createStoppedText(tokenizer, stops);
  const pieces: string[] = [];
  for (const id of tokenizer.encode(text)) if (!stopped.over) pieces.push(stopped.push(id));
  return [...pieces, stopped.end()];
}

const some = fc.string({ unit: fc.constantFrom("a", "b", "é", "鯨", "🐋"), maxLength: 30 });
const stop = fc.string({ unit: fc.constantFrom("a", "b", "é", "🐋"), minLength: 1, maxLength: 3 });

test("the text ends before whichever stop string is complete first", () => {
  fc.assert(
    fc.property(some, fc.array(stop, { maxLength: 3 }), (text, stops) => {
      const characters = [...text];
      const upTo = characters.map((_, i) => characters.slice(0, i + 1).join(""));
      const complete = upTo.find((beginning) => stops.some((s) => beginning.endsWith(s)));
      const longest = Math.max(...stops.filter((s) => complete?.endsWith(s)).map((s) => s.length));
      expect(piecesOf(text, stops).join("")).toBe(complete === undefined ? text : complete.slice(0, -longest));
    }),
    { numRuns: 1000 },
  );
});

test("no piece has part of a character, and nothing is held back that cannot be a stop string's beginning", () => {
  fc.assert(
    fc.property(some, (text) => {
      expect(piecesOf(text, []).filter((piece) => piece !== "")).toEqual([...text]);
    }),
  );
  expect(piecesOf("abcabd", ["abd"])).toEqual(["", "", "abc", "", "", "", ""]);
  expect(piecesOf("xab", ["abd"])).toEqual(["x", "", "", "ab"]);
});

test("half a character at the end is shown as what decoding makes of it", () => {
  const stopped = createStoppedText(tokenizer, []);
  const [first, second] = tokenizer.encode("é");
  expect([stopped.push(first!), stopped.end(), stopped.over, stopped.push(second!)]).toEqual(["", "\ufffd", true, ""]);
});
