/** @file Numbers as a row of blocks, one cell each. */

const levels = "▁▂▃▄▅▆▇█";

/** A value of `most` or above is a full block; below 0 and NaN it is the lowest. */
export function sparkline(values: readonly number[], most: number): string {
  return values.map((value) => levels[Math.max(0, Math.min(7, Math.floor((value / most) * 8) || 0))]).join("");
}
