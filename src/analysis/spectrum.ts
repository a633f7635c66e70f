/**
 * @file The singular values of a matrix and what they say of its rank. Arithmetic on plain arrays, float64.
 *
 * The numerical rank counts singular values that rounding cannot have made. An N × M matrix of independent errors of size δ has
 * a largest singular value of about `δ (√N + √M)` (Davidson and Szarek 2001, theorem 2.13); what lies above that is signal.
 */
import { Matrix, SingularValueDecomposition } from "ml-matrix";

export interface Spectrum {
  /** Largest first, `min(N, M)` of them. */
  readonly singularValues: readonly number[];
  /** Singular values below this may be rounding. */
  readonly tolerance: number;
  /** How many lie above it. */
  readonly rank: number;
  /** `exp(−Σ q ln q)`, `q = σ / Σ σ`: how many directions are used, weighed (Roy and Vetterli 2007). */
  readonly effectiveRank: number;
}

/** Roundings that one float32 log-probability is the result of: products, their sums, the log-sum-exp and a difference. */
const roundings = 8;
/** Half the distance from 1 to the next float32. */
const unitRoundoff = 2 ** -24;

/** @param rows - N arrays of M numbers, each a float32 made from numbers of its own size. */
export function spectrumOf(rows: readonly ArrayLike<number>[]): Spectrum {
  const [N, M] = [rows.length, rows[0]!.length];
  const matrix = new Matrix(rows.map((row) => Array.from(row)));
  const options = { computeLeftSingularVectors: false, computeRightSingularVectors: false, autoTranspose: true };
  const singularValues = new SingularValueDecomposition(matrix, options).diagonal;
  const largest = Math.max(matrix.max(), -matrix.min());
  const tolerance = roundings * unitRoundoff * largest * (Math.sqrt(N) + Math.sqrt(M));
  return {
    singularValues,
    tolerance,
    rank: singularValues.filter((value) => value > tolerance).length,
    effectiveRank: effectiveRank(singularValues),
  };
}

export function effectiveRank(singularValues: readonly number[]): number {
  const sum = singularValues.reduce((total, value) => total + value, 0);
  let entropy = 0;
  for (const value of singularValues) if (value > 0) entropy -= (value / sum) * Math.log(value / sum);
  return sum > 0 ? Math.exp(entropy) : 0;
}
