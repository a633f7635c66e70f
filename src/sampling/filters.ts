/**
 * @file Filters over one next-token distribution: scores in, scores out; a removed token has score −∞.
 *
 * Scores are log-probabilities up to a constant, so filters need not renormalise. Each keeps at least the likeliest token
 * and breaks ties towards lower ids. Those that look at the text so far are in `penalties.ts`.
 */
import { maximum, type Powers, powersOf } from "../lm/softmax.ts";
import { borderOfHighest, entropyFrom, entropyOf, keepFrom, keepMass, removed, type Scores } from "./scores.ts";

/** What a filter may look at beside the scores. All of it absent: the beginning of a text. */
export interface FilterContext {
  /** The text so far, prompt included. */
  readonly ids?: readonly number[];
  /** For each token drawn so far: −log₂ of the probability it was drawn with, in bits. */
  readonly surprises?: readonly number[];
  /** A random number in [0, 1) for this position, independent of the draw. */
  readonly uniform?: number;
}

export type Filter = (scores: Scores, context?: FilterContext) => Scores;

/** Keeps the `k` likeliest tokens (Fan et al. 2018, arXiv 1805.04833); 0 keeps all. */
export const topK =
  (k: number): Filter =>
  (scores) => {
    if (k === 0 || k >= scores.length) return scores;
    const { threshold, above } = borderOfHighest(scores, k);
    return keepFrom(scores, scores, threshold, k - above);
  };

/** Keeps the fewest likeliest tokens whose probabilities reach `mass` (Holtzman et al. 2020, arXiv 1904.09751); 1 keeps all. */
export const topP =
  (mass: number): Filter =>
  (scores) =>
    mass >= 1 ? scores : keepMass(scores, scores, powersOf(scores), mass);

/** Keeps tokens at least `ratio` times as likely as the likeliest (Nguyen et al. 2024, arXiv 2407.01082); 0 keeps all. */
export const minP =
  (ratio: number): Filter =>
  (scores) => {
    if (ratio === 0) return scores;
    return keepFrom(scores, scores, Math.fround(maximum(scores) + Math.log(ratio)));
  };

/**
 * Keeps the tokens whose surprise is closest to the entropy, the fewest whose probabilities reach `mass` (Meister et al.
 * 2022, arXiv 2202.00666); 1 keeps all. The likeliest token may go: the closest stays.
 */
export const typical =
  (mass: number): Filter =>
  (scores) => {
    if (mass >= 1) return scores;
    const given = powersOf(scores);
    const typicalScore = Math.log(given.total) + maximum(scores) - entropyFrom(scores, given);
    const keys = new Float32Array(scores.length);
    for (let id = 0; id < scores.length; id++) keys[id] = -Math.abs(typicalScore - scores[id]!);
    return keepMass(scores, keys, given, mass);
  };

/** Keeps tokens within `n` standard deviations of the scores below the highest (Tang et al. 2024, arXiv 2411.07641); 0 keeps all. */
export const topNSigma =
  (n: number): Filter =>
  (scores) => {
    if (n === 0) return scores;
    let [count, sum, squares] = [0, 0, 0];
    const largest = maximum(scores);
    for (let id = 0; id < scores.length; id++) {
      if (scores[id] === removed) continue;
      const below = scores[id]! - largest;
      count++;
      sum += below;
      squares += below * below;
    }
    const sigma = Math.sqrt(Math.max(0, squares / count - (sum / count) ** 2));
    return keepFrom(scores, scores, largest - n * sigma);
  };

/** Keeps tokens of probability `floor` or more, and the likeliest, whose power is 1. */
const keepLikely = (scores: Scores, { powers, total }: Powers, floor: number): Scores =>
  keepFrom(scores, powers, Math.min(1, floor * total));

/** Keeps tokens of probability at least `epsilon`, and the likeliest (Hewitt et al. 2022, arXiv 2210.15191); 0 keeps all. */
export const epsilonCutoff =
  (epsilon: number): Filter =>
  (scores) =>
    epsilon === 0 ? scores : keepLikely(scores, powersOf(scores), epsilon);

/** The same with the floor `min(ε, √ε · e^(−entropy))` (Hewitt et al. 2022, arXiv 2210.15191, section 5); 0 keeps all. */
export const etaCutoff =
  (epsilon: number): Filter =>
  (scores) => {
    if (epsilon === 0) return scores;
    const given = powersOf(scores);
    return keepLikely(scores, given, Math.min(epsilon, Math.sqrt(epsilon) * Math.exp(-entropyFrom(scores, given))));
  };

/**
 * With probability `chance`, removes every token of probability `threshold` or more but the least likely of those, so that
 * something less obvious comes ("exclude top choices", text-generation-webui, pull request 6335); 0 never does.
 */
export const xtc =
  (chance: number, threshold: number): Filter =>
  (scores, { uniform = 0 } = {}) => {
    if (chance === 0 || uniform >= chance) return scores;
    const { powers, total } = powersOf(scores);
    const rest = scores.slice();
    let last = -1; // of equals the highest id stays: the order is by probability, then by id
    for (let id = 0; id < scores.length; id++) {
      if (scores[id] === removed || powers[id]! / total < threshold) continue;
      if (last < 0 || powers[id]! <= powers[last]!) last = id;
      rest[id] = removed;
    }
    if (last >= 0) rest[last] = scores[last]!;
    return rest;
  };

/**
 * Removes tokens whose surprise exceeds μ bits, where μ starts at `2 τ` and moves by `−rate · (surprise drawn − τ)` a token, so
 * that the text's surprise settles at τ (mirostat 2: Basu et al. 2021, arXiv 2007.14966, algorithm 2); τ = 0 keeps all.
 */
export const mirostat =
  (target: number, rate: number): Filter =>
  (scores, { surprises = [] } = {}) => {
    if (target === 0) return scores;
    const limit = surprises.reduce((mu, surprise) => mu - rate * (surprise - target), 2 * target);
    return keepLikely(scores, powersOf(scores), 2 ** -limit);
  };

/** `scores / τ`; at τ = 0 only the likeliest token stays, of several the lowest id. */
export const temperature =
  (tau: number): Filter =>
  (scores) => {
    if (tau === 1) return scores;
    const largest = maximum(scores);
    if (tau === 0) return keepFrom(scores, scores, largest, 1);
    const tempered = new Float32Array(scores.length); // the largest taken out first: no overflow as τ → 0
    for (let id = 0; id < scores.length; id++) tempered[id] = (scores[id]! - largest) / tau;
    return tempered;
  };

/**
 * Temperature between `τ − range` (where one token is certain) and `τ + range` (where all that are left are alike), by the
 * entropy's share of its largest value to the power of `exponent`; not below 0. Range 0 is `temperature` (after Zhang et
 * al. 2024, arXiv 2403.14541, in the form of llama.cpp's dynatemp).
 */
export const dynamicTemperature =
  (tau: number, range: number, exponent: number): Filter =>
  (scores) => {
    if (range === 0) return temperature(tau)(scores);
    let count = 0;
    for (let id = 0; id < scores.length; id++) if (scores[id]! > removed) count++;
    const share = count > 1 ? Math.min(1, entropyOf(scores) / Math.log(count)) : 0;
    const low = Math.max(0, tau - range);
    return temperature(low + (tau + range - low) * share ** exponent)(scores);
  };
