// 10,000 handwritten digits of MNIST (LeCun, Cortes and Burges), as the package `mnist` ships them, and what one looks like in characters.
import { createRequire } from "node:module";

/** Images side by side, 28 × 28 numbers from 0 to 1 each, and which digit each is. */
export interface Digits {
  readonly images: Float32Array;
  readonly labels: Int32Array;
}

const require = createRequire(import.meta.url);
const pixels = 28 * 28;

/** Images of each digit that are used, as many of all; the rarest has 863. */
const perDigit = 860;

/**
 * The images whose place among those of their digit ends in one of these decimals: the parts of a split. Neighbours are often of one
 * hand, so parts that were stretches would be of other writers.
 */
export function loadDigits(decimals: readonly number[]): Digits {
  const places = Array.from({ length: perDigit }, (_, place) => place).filter((place) => decimals.includes(place % 10));
  const images = new Float32Array(places.length * 10 * pixels);
  const labels = Int32Array.from({ length: places.length * 10 }, (_, i) => i % 10); // digits take turns
  for (let digit = 0; digit < 10; digit++) {
    const { data } = require(`mnist/src/digits/${digit}.json`) as { readonly data: readonly number[] };
    for (const [i, place] of places.entries())
      images.set(data.slice(place * pixels, (place + 1) * pixels), (10 * i + digit) * pixels);
  }
  return { images, labels };
}

/** The image, two pixels a character, beside the probability of each digit. */
export function showDigit(image: Float32Array, probabilities: ArrayLike<number>): string[] {
  const dark = (x: number, y: number): boolean => image[y * 28 + x]! > 0.4;
  const sign = (x: number, y: number): string =>
    dark(x, y) ? (dark(x, y + 1) ? "█" : "▀") : dark(x, y + 1) ? "▄" : " ";
  return Array.from({ length: 14 }, (_, line) => {
    const picture = Array.from({ length: 28 }, (_, x) => sign(x, 2 * line)).join("");
    const p = probabilities[line - 2];
    return p === undefined
      ? picture.trimEnd()
      : `${picture}  ${line - 2} ${p.toFixed(3)} ${"█".repeat(30 * p)}`.trimEnd();
  });
}
