/**
 * @file How numbers are stored: float32, float16 and bfloat16, little-endian, to and from float32 arrays. Narrowing rounds to
 * nearest, ties to even (IEEE 754-2019, section 4.3.1); bfloat16 is the upper half of a float32.
 */
import { endianness } from "node:os";
import { SandboxError } from "../../engine/errors.ts";

export const numberTypes = ["float32", "float16", "bfloat16"] as const;
export type NumberType = (typeof numberTypes)[number];

export const bytesPerNumber: Readonly<Record<NumberType, number>> = { float32: 4, float16: 2, bfloat16: 2 };

if (endianness() !== "LE") throw new SandboxError("checkpoints: this processor is big-endian, which is not supported");

/** Numbers from their bytes, as many as there are; a copy. */
export function decodeNumbers(bytes: Uint8Array, type: NumberType): Float32Array {
  const aligned = Uint8Array.from(bytes).buffer; // a copy: bytes of a file begin anywhere
  if (type === "float32") return new Float32Array(aligned);
  const halves = new Uint16Array(aligned);
  const bits = new Uint32Array(halves.length);
  const widen = type === "bfloat16" ? (half: number): number => half << 16 : widenFloat16;
  for (let i = 0; i < halves.length; i++) bits[i] = widen(halves[i]!);
  return new Float32Array(bits.buffer);
}

/**
 * Bytes of numbers. Of float32 they are the array's own.
 *
 * @throws {SandboxError} for a number beyond float16's range.
 */
export function encodeNumbers(values: Float32Array, type: NumberType): Uint8Array {
  if (type === "float32") return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(values.length);
  const narrow = type === "bfloat16" ? narrowBfloat16 : narrowFloat16;
  for (let i = 0; i < bits.length; i++) halves[i] = narrow(bits[i]!);
  const lost =
    type === "float16" ? halves.findIndex((half, i) => (half & 0x7fff) === 0x7c00 && Number.isFinite(values[i])) : -1;
  if (lost < 0) return new Uint8Array(halves.buffer);
  throw new SandboxError(
    `float16: numbers must lie within ±65,504, got ${values[lost]}`,
    "Use bfloat16, which has the range of float32, or float32.",
  );
}

/** Float32's bits of a float16's bits. */
function widenFloat16(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >> 10) & 31;
  const fraction = half & 0x3ff;
  if (exponent === 31) return sign | 0x7f800000 | (fraction << 13);
  if (exponent > 0) return sign | ((exponent + 112) << 23) | (fraction << 13);
  if (fraction === 0) return sign;
  const shift = Math.clz32(fraction) - 21; // a subnormal number of float16 is a normal one of float32
  return sign | ((113 - shift) << 23) | (((fraction << shift) & 0x3ff) << 13);
}

/** `bits` without its lowest `count`, rounded. */
const dropBits = (bits: number, count: number): number =>
  (bits + (1 << (count - 1)) - 1 + ((bits >>> count) & 1)) >>> count;

function narrowFloat16(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const size = bits & 0x7fffffff;
  if (size > 0x7f800000) return sign | 0x7e00; // not a number
  if (size >= 0x47800000) return sign | 0x7c00; // 65,536 and more
  if (size >= 0x38800000) return sign | dropBits(size - 0x38000000, 13); // 65,520 and more become infinite
  const exponent = size >>> 23;
  if (exponent < 102) return sign; // less than half of the smallest
  return sign | dropBits((size & 0x7fffff) | 0x800000, 126 - exponent);
}

function narrowBfloat16(bits: number): number {
  if ((bits & 0x7fffffff) > 0x7f800000) return (bits >>> 16) | 0x40; // not a number, and stays so
  return dropBits(bits, 16);
}
