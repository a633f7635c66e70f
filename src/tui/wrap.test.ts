import fc from "fast-check";
import { expect, test } from "vitest";
import { textCells } from "./cells.ts";
import { wrapSpans } from "./wrap.ts";

const look = {};
const lines = (text: string, width: number) =>
  wrapSpans([{ text, look }], width).map((line) => line.map((span) => span.text).join(""));

test("lines break between words where there are any", () => {
  expect(lines("the white whale", 10)).toEqual(["the white ", "whale"]);
  expect(lines("the white whale", 12)).toEqual(["the white ", "whale"]);
  expect(lines("abcdefgh", 4)).toEqual(["abc", "def", "gh"]);
  expect(lines("a\n\nb\n", 5)).toEqual(["a", "", "b", ""]);
});

test("no line is too long and nothing is lost", () => {
  const character = fc.constantFrom("a", "b", " ", "鯨", "\n", "e\u0301");
  fc.assert(
    fc.property(fc.array(character), fc.integer({ min: 3, max: 12 }), (characters, width) => {
      const text = characters.join("");
      const wrapped = lines(text, width);
      for (const line of wrapped) expect(textCells(line)).toBeLessThanOrEqual(width);
      expect(wrapped.join("")).toBe(text.replaceAll("\n", ""));
    }),
  );
});

test("neighbours of one look join, others stay apart", () => {
  const other = { bold: true };
  expect(
    wrapSpans(
      [
        { text: "a", look },
        { text: "b", look },
        { text: "c", look: other },
      ],
      9,
    ),
  ).toEqual([
    [
      { text: "ab", look },
      { text: "c", look: other },
    ],
  ]);
});
