/**
 * @file What several models say about one token: how unsure they are in all, how much of that is disagreement, and whether
 * averaging them predicts better. Knows neither text nor tensors, nor whether the models are checkpoints or dropout masks.
 *
 * With members `p₁ … p_M` and their mean `p̄`: `H[p̄] = (1/M) Σ H[p_m] + (1/M) Σ KL(p_m ‖ p̄)`, predictive entropy = expected
 * entropy + mutual information. Source: Depeweg et al. 2018, arXiv 1710.07283; Lakshminarayanan et al. 2017, arXiv 1612.01474.
 */
import { decay } from "../lm/exponential.ts";
import type { LogProbs } from "./predictions.ts";

/** What members say about one token, or on average about many; all in nats. */
export interface Uncertainty {
  /** `(1/M) Σ −log p_m(target)`: what one member costs on average. */
  readonly memberNll: number;
  /** `−log p̄(target)`; never above `memberNll` (Jensen). */
  readonly probabilityNll: number;
  /** NLL of `exp((1/M) Σ log p_m) / Z`, never above `memberNll` (Z ≤ 1); ∞ where the members agree on no class at all. */
  readonly logProbabilityNll: number;
  /** `H[p̄]`. */
  readonly predictiveEntropy: number;
  /** `(1/M) Σ H[p_m]`: what stays unsure however many members are asked. */
  readonly expectedEntropy: number;
  /** `(1/M) Σ KL(p_m ‖ p̄)`, from 0 (equal members) to log M (nothing in common). */
  readonly mutualInformation: number;
}

/** The uncertainty of one token from the members' rows, each `[V]`; M + 1 powers of e and a logarithm a class. */
export function tokenUncertainty(rows: readonly LogProbs[], target: number): Uncertainty {
  const [classes, size] = [rows[0]!.length, rows.length];
  let [predictiveEntropy, expectedEntropy, mutualInformation, normaliser] = [0, 0, 0, 0];
  for (let v = 0; v < classes; v++) {
    let [sum, logs, weighted] = [0, 0, 0]; // Σ p, Σ log p, Σ p log p
    for (let m = 0; m < size; m++) {
      const logProb = rows[m]![v]!;
      const p = decay(-logProb);
      sum += p;
      logs += logProb;
      if (p > 0) weighted += p * logProb;
    }
    normaliser += decay(-logs / size);
    if (sum === 0) continue;
    const mean = sum / size;
    const ofMean = mean * Math.log(mean);
    predictiveEntropy -= ofMean;
    expectedEntropy -= weighted / size;
    mutualInformation += weighted / size - ofMean;
  }
  const memberNll = -meanLog(rows, target);
  return {
    memberNll,
    probabilityNll: -logMeanExp(rows, target),
    logProbabilityNll: memberNll === Number.POSITIVE_INFINITY ? memberNll : memberNll + Math.log(normaliser),
    predictiveEntropy,
    expectedEntropy,
    mutualInformation: Math.max(0, mutualInformation), // rounding alone can make it negative
  };
}

export const uncertaintyNames = [
  "memberNll",
  "probabilityNll",
  "logProbabilityNll",
  "predictiveEntropy",
  "expectedEntropy",
  "mutualInformation",
] as const satisfies readonly (keyof Uncertainty)[];

/** `(1/M) Σ log p_m(v)`. */
export function meanLog(rows: readonly LogProbs[], v: number): number {
  let sum = 0;
  for (const row of rows) sum += row[v]!;
  return sum / rows.length;
}

/** `log (1/M) Σ p_m(v)`, taken from the largest. */
export function logMeanExp(rows: readonly LogProbs[], v: number): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (const row of rows) if (row[v]! > largest) largest = row[v]!;
  if (largest === Number.NEGATIVE_INFINITY) return largest;
  let sum = 0;
  for (const row of rows) sum += decay(largest - row[v]!);
  return largest + Math.log(sum / rows.length);
}
