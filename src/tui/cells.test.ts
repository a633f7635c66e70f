import fc from "fast-check";
import { Box, renderToString, Text } from "ink";
import { createElement } from "react";
import { expect, test } from "vitest";
import { column, label, printable, readable, textCells, truncate } from "./cells.ts";

const awkward = [
  "a",
  "鯨",
  "🐋",
  "e\u0301",
  "👩\u200d👧",
  "❤\ufe0f",
  "1\ufe0f\u20e3",
  "\t",
  "\n",
  "\x1b[2J",
  "\x9b",
  "\u202e",
  "🇳🇴",
  "\ud83d",
  "\u0e33",
  "각",
  "नि",
  "\u3164",
];

const character = fc.oneof(fc.constantFrom(...awkward), fc.string({ unit: "binary", minLength: 1, maxLength: 1 }));

test("no control, format or unassigned character survives", () => {
  fc.assert(
    fc.property(fc.array(character), (characters) => {
      const text = characters.join("");
      for (const shown of [readable(text), label(text)])
        expect(shown).not.toMatch(/[\p{Cc}\p{Cf}\p{Cn}\p{Zl}\p{Zp}\p{Cs}]/u);
    }),
  );
});

test("what fits by our count, Ink does not cut", () => {
  fc.assert(
    fc.property(fc.array(character, { minLength: 1, maxLength: 8 }), (characters) => {
      const text = `|${readable(characters.join(""))}|`.replaceAll("…", "");
      const line = createElement(Box, { width: textCells(text) }, createElement(Text, { wrap: "truncate-end" }, text));
      expect(renderToString(line, { columns: 80 })).not.toContain("…");
    }),
    { numRuns: 150 },
  );
});

test("a cut text and a filled one have the asked width", () => {
  expect(truncate("leviathan", 5)).toBe("levi…");
  expect(truncate("鯨鯨鯨", 4)).toBe("鯨…");
  expect(truncate("abc", 3)).toBe("abc");
  expect(truncate("abc", 0)).toBe("");
  expect(textCells(column("鯨鯨鯨", 4))).toBe(4);
  expect(column("a", 3)).toBe("a  ");
});

test("a label shows outer spaces and everything invisible", () => {
  expect([" the", "a b ", "\n", "\t", "\x1b[0m", "\u200d", "\u00a0", "", "\x80"].map(label)).toEqual([
    "␣the",
    "a b␣",
    "⏎",
    "⇥",
    "␛[0m",
    "\\u{200d}",
    "\\xa0",
    "∅",
    "\\x80",
  ]);
});

test("plain output keeps line breaks and tabs only", () => {
  expect(printable("a\n\tb\x1b[2Jc\r\n\x07")).toBe("a\n\tb␛[2Jc\r\n␇");
});
