import { expect, test } from "vitest";
import { createRandomStream, randomKey } from "../../engine/random.ts";
import { decodeNumbers, encodeNumbers } from "./numberTypes.ts";

/** A float16's value by its definition: (−1)^s 2^(e−15) (1 + f/1024), subnormal 2^−14 f/1024. */
function definition(half: number): number {
  const [sign, exponent, fraction] = [half >> 15 ? -1 : 1, (half >> 10) & 31, half & 1023];
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -14 * (fraction / 1024));
}

const all = Uint16Array.from({ length: 65536 }, (_, half) => half);
const bytes = new Uint8Array(all.buffer);

/** Where two arrays differ; the sign of zero counts, which not-a-number it is does not. */
const differences = (a: Float32Array, b: Float32Array): number[] =>
  a.length === b.length ? [...a.keys()].filter((i) => !Object.is(a[i], b[i])) : [-1];

test("every float16 has the value that its definition gives", () => {
  expect(differences(decodeNumbers(bytes, "float16"), Float32Array.from(all, definition))).toEqual([]);
});

test("every bfloat16 is the float32 whose upper half it is", () => {
  const expected = new Float32Array(Uint32Array.from(all, (half) => half * 65536).buffer);
  expect(differences(decodeNumbers(bytes, "bfloat16"), expected)).toEqual([]);
});

test.each(["float16", "bfloat16"] as const)(
  "every %s survives a trip through float32; not-a-number stays one",
  (type) => {
    const back = new Uint16Array(encodeNumbers(decodeNumbers(bytes, type), type).buffer);
    const values = decodeNumbers(bytes, type);
    const changed = [...all].filter((half) => back[half] !== half && !Number.isNaN(values[half]));
    expect(changed).toEqual([]);
    expect(differences(decodeNumbers(new Uint8Array(back.buffer), type), values)).toEqual([]);
  },
);

test.each(["float16", "bfloat16"] as const)(
  "numbers between two %s take the nearer; in the middle the even one",
  (type) => {
    const random = createRandomStream(randomKey(1, type));
    const finite = [...all.subarray(0, 0x7bff)]; // positive, below the largest
    const picks = [
      ...finite.slice(0, 1100),
      ...Array.from({ length: 5000 }, () => finite[random.below(finite.length)]!),
    ];
    for (const half of picks) {
      const [low, high] = decodeNumbers(new Uint8Array(Uint16Array.of(half, half + 1).buffer), type) as unknown as [
        number,
        number,
      ];
      const middle = (low + high) / 2;
      const nearer = (x: number): number => {
        const value = Math.fround(x);
        return value < middle ? half : value > middle ? half + 1 : half + (half & 1);
      };
      const between = [
        middle,
        low + (high - low) * random.uniform(),
        low + (high - low) * 0.499,
        low + (high - low) * 0.501,
      ];
      const got = new Uint16Array(encodeNumbers(Float32Array.from(between), type).buffer);
      expect([...got]).toEqual(between.map(nearer));
    }
  },
);

test("what is far below float16's smallest becomes 0, what is beyond its range is refused", () => {
  const got = new Uint16Array(
    encodeNumbers(Float32Array.of(65519, 1e-8, -1e-9, 2.980233e-8, -Infinity), "float16").buffer,
  );
  expect([...got]).toEqual([0x7bff, 0, 0x8000, 1, 0xfc00]);
  for (const beyond of [65520, -1e6])
    expect(() => encodeNumbers(Float32Array.of(1, beyond), "float16")).toThrow(`within ±65,504, got ${beyond}`);
});
