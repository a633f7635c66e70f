/** @file Bins of [0, 1]: equally wide, or equally filled. */

/** How many bins, where nobody says otherwise (Guo et al. 2017). */
export const defaultBins = 15;

/** The bin of `probability` among equally wide ones; 1 belongs to the last. */
export const widthBin = (probability: number, bins: number): number =>
  Math.min(bins - 1, Math.max(0, Math.floor(probability * bins)));

/** Cuts `count` sorted items into `bins` runs of about equal length: one bin number an item, in order. */
export const massBins = (count: number, bins: number): Int32Array =>
  Int32Array.from({ length: count }, (_, i) => widthBin((i + 0.5) / count, bins));

/** The order that sorts `values`, smallest first, equal ones as they came. */
export function sortedOrder(values: ArrayLike<number>): Int32Array {
  const order = Int32Array.from({ length: values.length }, (_, i) => i);
  return order.sort((a, b) => values[a]! - values[b]! || a - b);
}
