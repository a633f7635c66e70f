import fc from "fast-check";
import { expect, test } from "vitest";
import { byNaturalOrder } from "./naturalOrder.ts";
import { firstInvalidByte } from "./textFile.ts";

const decodes = (bytes: Uint8Array): boolean => {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
};

test("the offset named is that of the first byte that begins no whole character", () => {
  const good = fc.string({ unit: "grapheme", maxLength: 20 }).map((text) => Buffer.from(text));
  fc.assert(
    fc.property(good, fc.uint8Array({ minLength: 1, maxLength: 6 }), good, (before, middle, after) => {
      const bytes = Buffer.concat([before, middle, after]);
      fc.pre(!decodes(bytes));
      const offset = firstInvalidByte(bytes);
      expect(decodes(bytes.subarray(0, offset))).toBe(true);
      for (let length = 1; length <= 4; length++) {
        const isWhole = offset + length <= bytes.length && decodes(bytes.subarray(offset, offset + length));
        expect(isWhole).toBe(false);
      }
    }),
    { numRuns: 500 },
  );
});

test("names are ordered by their numbers", () => {
  const names = ["b", "a10", "a2", "a02", "a", "A3", "a2b1", "a2b"];
  expect(names.sort(byNaturalOrder)).toEqual(["A3", "a", "a02", "a2", "a2b", "a2b1", "a10", "b"]);
  const anyName = fc.string({ unit: fc.constantFrom("a", "B", "0", "1", "2", "_") });
  fc.assert(
    fc.property(fc.array(anyName), (some) => {
      const sorted = [...some].sort(byNaturalOrder);
      expect([...some].reverse().sort(byNaturalOrder)).toEqual(sorted);
    }),
  );
});
