/**
 * @file Filters over one next-token distribution: scores in, scores out; a removed token has score −∞.
 *
 * Scores are log-probabilities up to a constant, so filters need not renormalise. Each keeps at least the likeliest token
 * and breaks ties towards lower ids.
 */

/** Log-probabilities up to a constant, `[V]`; −∞ where removed. */
export type Scores = Float32Array;
export type Filter = (scores: Scores) => Scores;

/** Keeps the `count` highest scores. `threshold` is the lowest of them; of its ties the lowest ids stay. */
function keepHighest(scores: Scores, count: number, threshold: number): Scores {
  let above = 0;
  for (const score of scores) if (score > threshold) above++;
  let ties = count - above;
  return scores.map((score) =>
    score > threshold || (score === threshold && ties-- > 0) ? score : Number.NEGATIVE_INFINITY,
  );
}

/** Keeps the `k` likeliest tokens (Fan et al. 2018, arXiv 1805.04833); 0 keeps all. */
export const topK =
  (k: number): Filter =>
  (scores) => {
    if (k === 0 || k >= scores.length) return scores;
    return keepHighest(scores, k, scores.slice().sort()[scores.length - k]!);
  };

/** Keeps the fewest likeliest tokens whose probabilities reach `mass` (Holtzman et al. 2020, arXiv 1904.09751). */
export const topP =
  (mass: number): Filter =>
  (scores) => {
    if (mass >= 1) return scores;
    const sorted = scores.slice().sort().reverse();
    const largest = sorted[0]!;
    const total = sorted.reduce((sum, score) => sum + Math.exp(score - largest), 0);
    let [count, reached] = [0, 0];
    while (count < sorted.length && reached < mass * total) reached += Math.exp(sorted[count++]! - largest);
    return keepHighest(scores, count, sorted[count - 1]!);
  };

/** Keeps tokens at least `ratio` times as likely as the likeliest (Nguyen et al. 2024, arXiv 2407.01082). */
export const minP =
  (ratio: number): Filter =>
  (scores) => {
    if (ratio === 0) return scores;
    const floor = Math.fround(maximum(scores) + Math.log(ratio));
    return scores.map((score) => (score >= floor ? score : Number.NEGATIVE_INFINITY));
  };

/** `scores / τ`; at τ = 0 only the likeliest token stays, of several the lowest id. */
export const temperature =
  (tau: number): Filter =>
  (scores) => {
    if (tau === 1) return scores;
    const largest = maximum(scores);
    if (tau === 0) return keepHighest(scores, 1, largest);
    return scores.map((score) => (score - largest) / tau); // the largest taken out first: no overflow as τ → 0
  };

export function maximum(values: Float32Array): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (const value of values) if (value > largest) largest = value;
  return largest;
}
