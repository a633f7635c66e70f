/**
 * @file Filters over one next-token distribution: a field in, a field out, with the tokens that are left.
 *
 * Scores are log-probabilities up to a constant, so filters need not renormalise. Each keeps at least the likeliest token
 * and breaks ties towards lower ids; at its off value it gives back the field it was given. Those that look at the text so far
 * are in `penalties.ts`.
 */
import { type Field, keepFrom, removed, withScores } from "./field.ts";
import { gatherFrom } from "./gather.ts";
import { keepNucleus, keepTypical } from "./nucleus.ts";
import { borderOfHighest } from "./select.ts";

/** What a filter may look at beside the scores. All of it absent: the beginning of a text. */
export interface FilterContext {
  /** The text so far, prompt included. */
  readonly ids?: readonly number[];
  /** For each token drawn so far: −log₂ of the probability it was drawn with, in bits. */
  readonly surprises?: readonly number[];
  /** A random number in [0, 1) for this position, independent of the draw. */
  readonly uniform?: number;
}

export type Filter = (field: Field, context?: FilterContext) => Field;

/** Keeps the `k` likeliest tokens (Fan et al. 2018, arXiv 1805.04833); 0 keeps all. */
export const topK =
  (k: number): Filter =>
  (field) => {
    const { scores } = field;
    if (k === 0 || k >= scores.length) return field;
    const { threshold, above } = borderOfHighest(field, k);
    return keepFrom(field, threshold, k - above);
  };

/** Keeps the fewest likeliest tokens whose probabilities reach `mass` (Holtzman et al. 2020, arXiv 1904.09751); 1 keeps all. */
export const topP =
  (mass: number): Filter =>
  (field) =>
    mass >= 1 ? field : keepNucleus(field, mass);

/** Keeps tokens at least `ratio` times as likely as the likeliest (Nguyen et al. 2024, arXiv 2407.01082); 0 keeps all. */
export const minP =
  (ratio: number): Filter =>
  (field) => {
    if (ratio === 0) return field;
    return keepFrom(field, Math.fround(field.top() + Math.log(ratio)));
  };

/**
 * Keeps the tokens whose surprise is closest to the entropy, the fewest whose probabilities reach `mass` (Meister et al.
 * 2022, arXiv 2202.00666); 1 keeps all. The likeliest token may go: the closest stays.
 */
export const typical =
  (mass: number): Filter =>
  (field) =>
    mass >= 1 ? field : keepTypical(field, mass);

/** Keeps tokens within `n` standard deviations of the scores below the highest (Tang et al. 2024, arXiv 2411.07641); 0 keeps all. */
export const topNSigma =
  (n: number): Filter =>
  (field) => {
    if (n === 0) return field;
    const { scores } = field;
    const largest = field.top();
    let count = 0;
    let sum = 0;
    let squares = 0;
    for (let i = 0; i < scores.length; i++) {
      if (scores[i] === removed) continue;
      const below = scores[i]! - largest;
      count++;
      sum += below;
      squares += below * below;
    }
    const sigma = Math.sqrt(Math.max(0, squares / count - (sum / count) ** 2));
    return keepFrom(field, largest - n * sigma);
  };

/** Keeps tokens of probability `floor` or more, and the likeliest. */
function keepLikely(field: Field, floor: number): Field {
  const { top, total } = field.sums();
  return keepFrom(field, top + Math.min(0, Math.log(floor * total)));
}

/** Keeps tokens of probability at least `epsilon`, and the likeliest (Hewitt et al. 2022, arXiv 2210.15191); 0 keeps all. */
export const epsilonCutoff =
  (epsilon: number): Filter =>
  (field) =>
    epsilon === 0 ? field : keepLikely(field, epsilon);

/** The same with the floor `min(ε, √ε · e^(−entropy))` (Hewitt et al. 2022, arXiv 2210.15191, section 5); 0 keeps all. */
export const etaCutoff =
  (epsilon: number): Filter =>
  (field) =>
    epsilon === 0 ? field : keepLikely(field, Math.min(epsilon, Math.sqrt(epsilon) * Math.exp(-field.sums().entropy)));

/**
 * With probability `chance`, removes every token of probability `threshold` or more but the least likely of those, so that
 * something less obvious comes ("exclude top choices", text-generation-webui, pull request 6335); 0 never does.
 */
export const xtc =
  (chance: number, threshold: number): Filter =>
  (field, { uniform = 0 } = {}) => {
    if (chance === 0 || uniform >= chance) return field;
    const { scores } = field;
    const { top, total } = field.sums();
    const { places } = gatherFrom(field, top + Math.log(threshold * total));
    if (places.length < 2) return field;
    const rest = scores.slice();
    let last = places[0]!; // of equals the highest id stays: the order is by probability, then by id
    for (const place of places) {
      if (scores[place]! <= scores[last]!) last = place;
      rest[place] = removed;
    }
    rest[last] = scores[last]!;
    return withScores(field, rest);
  };

/**
 * Removes tokens whose surprise exceeds μ bits, where μ starts at `2 τ` and moves by `−rate · (surprise drawn − τ)` a token, so
 * that the text's surprise settles at τ (mirostat 2: Basu et al. 2021, arXiv 2007.14966, algorithm 2); τ = 0 keeps all.
 */
export const mirostat =
  (target: number, rate: number): Filter =>
  (field, { surprises = [] } = {}) => {
    if (target === 0) return field;
    const limit = surprises.reduce((mu, surprise) => mu - rate * (surprise - target), 2 * target);
    return keepLikely(field, 2 ** -limit);
  };

/** `scores / τ`; at τ = 0 only the likeliest token stays, of several the lowest id. */
export const temperature =
  (tau: number): Filter =>
  (field) => {
    if (tau === 1) return field;
    const { scores } = field;
    const largest = field.top();
    if (tau === 0) return keepFrom(field, largest, 1);
    const tempered = new Float32Array(scores.length); // the largest taken out first: no overflow as τ → 0
    for (let i = 0; i < scores.length; i++) tempered[i] = (scores[i]! - largest) / tau;
    return withScores(field, tempered);
  };

/**
 * Temperature between `τ − range` (where one token is certain) and `τ + range` (where all that are left are alike), by the
 * entropy's share of its largest value to the power of `exponent`; not below 0. Range 0 is τ (after Zhang et al. 2024,
 * arXiv 2403.14541, in the form of llama.cpp's dynatemp).
 */
export interface DynamicTemperature {
  readonly tau: number;
  readonly range: number;
  readonly exponent: number;
}

/** The τ that a field gets. */
export function temperatureFor({ tau, range, exponent }: DynamicTemperature, { scores, sums }: Field): number {
  if (range === 0) return tau;
  let count = 0;
  for (let i = 0; i < scores.length; i++) count += Number(scores[i]! > removed);
  const share = count > 1 ? Math.min(1, sums().entropy / Math.log(count)) : 0;
  const low = Math.max(0, tau - range);
  return low + (tau + range - low) * share ** exponent;
}

/** `scores / τ` for that τ. */
export const dynamicTemperature =
  (dynamic: DynamicTemperature): Filter =>
  (field) =>
    temperature(temperatureFor(dynamic, field))(field);
