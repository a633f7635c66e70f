import fc from "fast-check";
import { expect, test } from "vitest";
import { printableBytes, printableText, printableToken } from "./printable.ts";

test.each([
  [" the", "·the"],
  ["\n", "␤"],
  ["\r\n\t", "␍␤␉"],
  ["\u001b[31m", "␛[31m"],
  ["\u0000\u007f", "␀␡"],
  ["\u009b", "\\x9b"],
  ["\u00a0", "⍽"],
  ["\u202e\u200b\u2028\ufeff", "\\u202e\\u200b\\u2028\\ufeff"],
  ["\u{e0041}", "\\u{e0041}"],
  ["\u0301", "◌\u0301"],
  ["\ud83d", "\\ud83d"],
  ["\ufffd", "\ufffd"],
  ["naïve 鯨 🐋", "naïve·鯨·🐋"],
  ["", ""],
])("%j is shown as %s", (text, shown) => {
  expect(printableToken(text)).toBe(shown);
});

test("bytes that are no whole character are shown by their codes", () => {
  expect(printableBytes(Uint8Array.of(0x20, 0xe2, 0x80))).toBe("·\\xe2\\x80");
  expect(printableBytes(Uint8Array.of(0x80, 0x41, 0xf0, 0x9f, 0x90, 0x8b, 0xff))).toBe("\\x80A🐋\\xff");
  fc.assert(fc.property(fc.string({ unit: "grapheme" }), (s) => printableBytes(Buffer.from(s)) === printableToken(s)));
});

test("nothing printable moves the cursor or ends a line", () => {
  const control = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
  const bytes = fc.uint8Array();
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => !control.test(printableToken(text))));
  fc.assert(fc.property(bytes, (value) => !control.test(printableBytes(value))));
});

test("running text keeps its lines, spaces and joined emoji", () => {
  expect(printableText("a b\n\tc 👨‍👩‍👧")).toBe("a b\n\tc 👨‍👩‍👧");
  expect(printableText("\u001b]0;title\u0007\r")).toBe("␛]0;title␇␍");
});
