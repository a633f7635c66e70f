/** @file The highest score of each block of a vocabulary: whoever looks for high scores passes over most blocks unseen. */

/** Scores of a block. */
export const blockLength = 128;

/** The highest score of each block; −∞ where there is none. */
export function blockMaxima(scores: Float32Array): Float32Array {
  const maxima = new Float32Array(Math.ceil(scores.length / blockLength));
  for (let block = 0; block < maxima.length; block++) {
    const start = block * blockLength;
    const end = Math.min(start + blockLength, scores.length);
    maxima[block] = highestWithin(scores, start, end);
  }
  return maxima;
}

/** Four at a time: each comparison waits for the one before it. */
function highestWithin(scores: Float32Array, start: number, end: number): number {
  let [a, b, c, d] = [scores[start]!, scores[start]!, scores[start]!, scores[start]!];
  let i = start;
  for (; i + 3 < end; i += 4) {
    if (scores[i]! > a) a = scores[i]!;
    if (scores[i + 1]! > b) b = scores[i + 1]!;
    if (scores[i + 2]! > c) c = scores[i + 2]!;
    if (scores[i + 3]! > d) d = scores[i + 3]!;
  }
  for (; i < end; i++) if (scores[i]! > a) a = scores[i]!;
  return Math.max(a, b, c, d);
}
