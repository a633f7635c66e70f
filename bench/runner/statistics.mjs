/** @file Medians and ratios. */

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * How many times the first is faster: the ratio of the medians, and the least and largest ratio of a round.
 *
 * @param {readonly number[]} ours - milliseconds by round.
 * @param {readonly number[]} theirs - of the same rounds.
 */
export function compareTimes(ours, theirs) {
  const ratios = ours.map((time, round) => theirs[round] / time);
  return { ratio: median(theirs) / median(ours), least: Math.min(...ratios), largest: Math.max(...ratios) };
}
