/**
 * @file ALiBi (Press, Smith & Lewis 2022, https://arxiv.org/abs/2108.12409): instead of positions, a penalty on each score that grows
 * with the distance, by a slope of its own in every head.
 */

/** Slopes `2^(−8 i / H)`, i = 1 … H; where H is no power of two, those of the power below and every other one of the power above. */
export function slopesOf(heads: number): number[] {
  const below = 2 ** Math.floor(Math.log2(heads));
  const slopes = (count: number): number[] => Array.from({ length: count }, (_, i) => 2 ** ((-8 * (i + 1)) / count));
  const between = slopes(2 * below).filter((_, i) => i % 2 === 0);
  return [...slopes(below), ...between.slice(0, heads - below)];
}
