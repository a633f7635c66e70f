/** @file Bins of [0, 1]: equally wide, or equally filled. */

/** How many bins, where nobody says otherwise (Guo et al. 2017). */
export const defaultBins = 15;

/** The bin of `probability` among equally wide ones; 1 belongs to the last. */
export const widthBin = (probability: number, bins: number): number =>
  Math.min(bins - 1, Math.max(0, Math.floor(probability * bins)));

/**
 * Cuts sorted weights into `bins` runs of about equal weight: item `i` belongs to the bin in which the middle of its weight
 * falls. Items of weight 0 are in some bin and count for nothing.
 *
 * @returns one bin number an item, in order.
 */
export function massBins(weights: ArrayLike<number>, bins: number): Int32Array {
  let total = 0;
  for (let i = 0; i < weights.length; i++) total += weights[i]!;
  const result = new Int32Array(weights.length);
  let before = 0;
  for (let i = 0; i < weights.length; i++) {
    const middle = total > 0 ? (before + weights[i]! / 2) / total : 0;
    result[i] = widthBin(middle, bins);
    before += weights[i]!;
  }
  return result;
}

/** The order that sorts `values`, smallest first, equal ones as they came. */
export function sortedOrder(values: ArrayLike<number>): Int32Array {
  const order = Int32Array.from({ length: values.length }, (_, i) => i);
  return order.sort((a, b) => values[a]! - values[b]! || a - b);
}
