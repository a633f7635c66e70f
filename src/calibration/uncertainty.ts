/**
 * @file What several models say about one token: how unsure they are in all, how much of that is disagreement, and whether
 * averaging them predicts better. Knows neither text nor tensors, nor whether the models are checkpoints or dropout masks.
 *
 * With members `p₁ … p_M` and their mean `p̄`: `H[p̄] = (1/M) Σ H[p_m] + (1/M) Σ KL(p_m ‖ p̄)`, predictive entropy = expected
 * entropy + mutual information. Source: Depeweg et al. 2018, arXiv 1710.07283; Lakshminarayanan et al. 2017, arXiv 1612.01474.
 */
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

/** Some tokens as every member sees them; the memory may be used again once the next batch is asked for. */
export interface EnsembleBatch {
  /** Log-probabilities of each member, `[N, V]`; −∞ is allowed. */
  readonly members: readonly LogProbs[];
  /** The class that came true, `[N]`. */
  readonly targets: Int32Array;
}

/** The uncertainty of one token from the members' rows, each `[V]`. */
export function tokenUncertainty(rows: readonly LogProbs[], target: number): Uncertainty {
  const classes = rows[0]!.length;
  let [predictiveEntropy, expectedEntropy, mutualInformation, normaliser] = [0, 0, 0, 0];
  for (let v = 0; v < classes; v++) {
    const logMean = logMeanExp(rows, v);
    if (logMean === Number.NEGATIVE_INFINITY) continue;
    predictiveEntropy -= Math.exp(logMean) * logMean;
    normaliser += Math.exp(meanLog(rows, v));
    for (const row of rows) {
      if (row[v] === Number.NEGATIVE_INFINITY) continue;
      const share = Math.exp(row[v]!) / rows.length;
      expectedEntropy -= share * row[v]!;
      mutualInformation += share * (row[v]! - logMean);
    }
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

/** The mean over all tokens; holds one batch at a time. NaN where there are no tokens. */
export async function meanUncertainty(
  batches: Iterable<EnsembleBatch> | AsyncIterable<EnsembleBatch>,
  classes: number,
): Promise<Uncertainty> {
  const sums = Object.fromEntries(uncertaintyNames.map((name) => [name, 0])) as Record<keyof Uncertainty, number>;
  let count = 0;
  for await (const { members, targets } of batches)
    for (const [n, target] of targets.entries()) {
      const rows = members.map((member) => member.subarray(n * classes, (n + 1) * classes)); // M × [V]
      const token = tokenUncertainty(rows, target);
      for (const name of uncertaintyNames) sums[name] += token[name];
      count++;
    }
  for (const name of uncertaintyNames) sums[name] /= count;
  return sums;
}

const uncertaintyNames = [
  "memberNll",
  "probabilityNll",
  "logProbabilityNll",
  "predictiveEntropy",
  "expectedEntropy",
  "mutualInformation",
] as const satisfies readonly (keyof Uncertainty)[];

function meanLog(rows: readonly LogProbs[], v: number): number {
  let sum = 0;
  for (const row of rows) sum += row[v]!;
  return sum / rows.length;
}

function logMeanExp(rows: readonly LogProbs[], v: number): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (const row of rows) if (row[v]! > largest) largest = row[v]!;
  if (largest === Number.NEGATIVE_INFINITY) return largest;
  let sum = 0;
  for (const row of rows) sum += Math.exp(row[v]! - largest);
  return largest + Math.log(sum / rows.length);
}
