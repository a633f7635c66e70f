/**
 * @file `e^(−x)` for x ≥ 0, several times as fast as `Math.exp`: a softmax over 50,257 tokens is little else.
 *
 * `x = n · ln 2 / 512 − r` with a whole n and |r| < 0.0007, so that `e^(−x) = 2^(−n/512) · e^r`: the first from a table, the
 * second by its Taylor series up to `r³` (Tang 1989, "Table-driven implementation of the exponential function in IEEE
 * floating-point arithmetic"). Relative error below 2e-14.
 *
 * The loops read table and constants into locals and have no branch: an import looked up at every token, or a branch taken at every
 * second one, costs more than the arithmetic.
 */
import { binCount, binsOfOne, horizon, runLength, type ScorePasses } from "../engine/scorePasses.ts";

const steps = 512;
const stepsOfOne = steps / Math.LN2;
const stepWidth = Math.LN2 / steps;

const last = Math.floor(horizon * stepsOfOne + 0.5);
/** `2^(−n/512)`, and 0 at the horizon. */
const table = Float64Array.from({ length: last + 1 }, (_, n) => (n < last ? 2 ** (-n / steps) : 0));

/** `e^(−x)`, x ≥ 0; exactly 1 at 0. */
export function decay(x: number): number {
  if (!(x < horizon - 1)) return Math.exp(-x);
  const n = (x * stepsOfOne + 0.5) | 0;
  const r = n * stepWidth - x;
  return table[n]! * (1 + r * (1 + r * (1 / 2 + r * (1 / 6))));
}

/** What one pass over n scores tells. */
export interface Sums {
  /** The highest score. */
  readonly top: number;
  /** `Σ e^((s − top) / τ)`. */
  readonly total: number;
  /** Of the distribution, in nats: `ln Σ e^((s − top) / τ) + Σ p (top − s) / τ`. */
  readonly entropy: number;
  /** Sums of the powers before each run of scores, for a draw to begin at. */
  readonly runs: Float64Array;
}

/** The sums of some scores, as engines offer them too. */
export const scoreSums: ScorePasses["scoreSums"] = (scores, runs, bins, result, n, top, inverse) => {
  const beginning = scores.subarray(0, n);
  if (bins) sumInBins(beginning, runs, bins, result, top, inverse);
  else sumPowers(beginning, runs, result, top, inverse);
};

function sumPowers(scores: Float32Array, runs: Float64Array, result: Float64Array, top: number, inverse: number): void {
  const [powers, perOne, width, far] = [table, stepsOfOne, stepWidth, horizon];
  let [total, slope] = [0, 0];
  for (let run = 0; run < runs.length; run++) {
    runs[run] = total;
    const end = Math.min(scores.length, (run + 1) * runLength);
    for (let i = run * runLength; i < end; i++) {
      const x = Math.min((top - scores[i]!) * inverse, far);
      const n = (x * perOne + 0.5) | 0;
      const r = n * width - x;
      const power = powers[n]! * (1 + r * (1 + r * (1 / 2 + r * (1 / 6))));
      total += power;
      slope += power * x;
    }
  }
  [result[0], result[1]] = [total, slope];
}

/** Each bin is two sums while it grows, of even and of odd places: neighbours in the same bin would wait for each other. */
function sumInBins(
  scores: Float32Array,
  runs: Float64Array,
  bins: Float64Array,
  result: Float64Array,
  top: number,
  inverse: number,
): void {
  const [powers, perOne, width, far, perBin] = [table, stepsOfOne, stepWidth, horizon, binsOfOne];
  const pairs = new Float64Array(2 * binCount);
  let [total, slope] = [0, 0];
  for (let run = 0; run < runs.length; run++) {
    runs[run] = total;
    const end = Math.min(scores.length, (run + 1) * runLength);
    for (let i = run * runLength; i < end; i++) {
      const x = Math.min((top - scores[i]!) * inverse, far);
      const n = (x * perOne + 0.5) | 0;
      const r = n * width - x;
      const power = powers[n]! * (1 + r * (1 + r * (1 / 2 + r * (1 / 6))));
      total += power;
      slope += power * x;
      pairs[2 * ((x * perBin) | 0) + (i & 1)]! += power;
    }
  }
  for (let bin = 0; bin < binCount; bin++) bins[bin] = pairs[2 * bin]! + pairs[2 * bin + 1]!;
  [result[0], result[1]] = [total, slope];
}

/** The first place at which the running sum of the powers passes `wanted`, the last that has any if none does; and its power. */
export function placeOfSum(scores: Float32Array, { top, runs }: Sums, inverse: number, wanted: number) {
  const [powers, perOne, width, far] = [table, stepsOfOne, stepWidth, horizon];
  let run = runs.length - 1;
  while (run > 0 && runs[run]! > wanted) run--;
  let rest = wanted - (runs[run] ?? 0);
  for (let i = run * runLength; i < scores.length; i++) {
    const x = Math.min((top - scores[i]!) * inverse, far);
    const n = (x * perOne + 0.5) | 0;
    const r = n * width - x;
    const power = powers[n]! * (1 + r * (1 + r * (1 / 2 + r * (1 / 6))));
    if (rest < power) return { place: i, power };
    rest -= power;
  }
  let place = scores.length - 1; // rounding has left a rest
  while (place > 0 && !((top - scores[place]!) * inverse < far - 1)) place--;
  return { place, power: decay((top - scores[place]!) * inverse) };
}

/**
 * Writes `e^(s − top)` of every score; below `e^(−40)` it is 0.
 *
 * @param powers - as long as `scores`, overwritten; may be `scores` itself.
 * @returns their sum.
 */
export function writePowers(scores: Float64Array, top: number, powers: Float64Array): number {
  const [decays, perOne, width, far] = [table, stepsOfOne, stepWidth, horizon];
  let total = 0;
  for (let i = 0; i < scores.length; i++) {
    const x = Math.min(top - scores[i]!, far);
    const n = (x * perOne + 0.5) | 0;
    const r = n * width - x;
    const power = decays[n]! * (1 + r * (1 + r * (1 / 2 + r * (1 / 6))));
    powers[i] = power;
    total += power;
  }
  return total;
}

/** `Σ e^(s − top)`. */
export function sumOfPowers(scores: Float64Array, top: number): number {
  const [powers, perOne, width, far] = [table, stepsOfOne, stepWidth, horizon];
  let total = 0;
  for (let i = 0; i < scores.length; i++) {
    const x = Math.min(top - scores[i]!, far);
    const n = (x * perOne + 0.5) | 0;
    const r = n * width - x;
    total += powers[n]! * (1 + r * (1 + r * (1 / 2 + r * (1 / 6))));
  }
  return total;
}

/** Cumulants of scores under `p ∝ e^(β s)`; each is the derivative of the one before it in β. */
export interface Cumulants {
  readonly mean: number;
  readonly variance: number;
  readonly third: number;
}

/**
 * The first three cumulants of some scores under `p ∝ e^(β s)`, β > 0.
 *
 * @param top - the highest score, finite.
 */
export function cumulantsAt(scores: Float32Array | Float64Array, top: number, beta: number): Cumulants {
  const [powers, perOne, width, far] = [table, stepsOfOne, stepWidth, horizon];
  let [total, first, second, third] = [0, 0, 0, 0];
  for (let i = 0; i < scores.length; i++) {
    const x = Math.min((top - scores[i]!) * beta, far);
    const n = (x * perOne + 0.5) | 0;
    const r = n * width - x;
    const power = powers[n]! * (1 + r * (1 + r * (1 / 2 + r * (1 / 6))));
    const weighted = power * x;
    total += power;
    first += weighted;
    second += weighted * x;
    third += weighted * x * x;
  }
  const [a, b, c] = [first / total, second / total, third / total]; // moments of β (top − s)
  return {
    mean: top - a / beta,
    variance: Math.max(0, b - a * a) / beta ** 2,
    third: -(c - 3 * a * b + 2 * a ** 3) / beta ** 3,
  };
}

/** What one pass over the logarithms of probabilities tells. */
export interface LogProbsReading {
  /** `Σ p`. */
  readonly sum: number;
  /** `Σ p²`. */
  readonly squares: number;
  /** `−Σ p log p`, nats. */
  readonly entropy: number;
  /** How many are likely. */
  readonly likely: number;
}

/**
 * Writes the probabilities, within [0, 1], and the places of the likely ones, rising.
 *
 * @param probabilities - as long as `logProbs`, overwritten.
 * @param least - the probability from which on a place is likely.
 * @param places - one longer than `logProbs`, overwritten.
 */
export function readLogProbs(
  logProbs: Float64Array,
  probabilities: Float64Array,
  least: number,
  places: Int32Array,
): LogProbsReading {
  const [powers, perOne, width, far] = [table, stepsOfOne, stepWidth, horizon];
  let [sum, squares, entropy, likely] = [0, 0, 0, 0];
  for (let i = 0; i < logProbs.length; i++) {
    const x = Math.min(Math.max(-logProbs[i]!, 0), far);
    const n = (x * perOne + 0.5) | 0;
    const r = n * width - x;
    const p = powers[n]! * (1 + r * (1 + r * (1 / 2 + r * (1 / 6))));
    probabilities[i] = p;
    sum += p;
    squares += p * p;
    entropy += p * x;
    places[likely] = i;
    likely += Number(p >= least);
  }
  return { sum, squares, entropy, likely };
}
