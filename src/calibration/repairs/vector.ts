/**
 * @file Vector scaling (Guo et al. 2017, section 4.2): `softmax(w ⊙ log p + b)`, a factor and a shift for each class.
 *
 * A vocabulary has more classes than most texts have words to fit them with, so w and b have a Gaussian prior around
 * "nothing to repair" (w = 1, b = 0): a class that the text never shows stays about as it was, and the loss, convex and bounded,
 * has one minimum at a finite place.
 */
import { z } from "zod";
import { minimise } from "../minimise.ts";
import { eachRow, type LogProbs, type Predictions } from "../predictions.ts";
import { normalise } from "./temperature.ts";

export const VectorRepair = z
  .strictObject({ kind: z.literal("vector"), factors: z.array(z.number()), shifts: z.array(z.number()) })
  .refine(({ factors, shifts }) => factors.length === shifts.length, "factors and shifts must be equally many");
export type VectorRepair = z.infer<typeof VectorRepair>;

export interface VectorOptions {
  /** Strength of the prior: `strength/2 (Σ (w − 1)² + Σ b²)` is added to the summed loss, nats. */
  readonly strength?: number;
  /** Walks over the data at most, but one. */
  readonly evaluations?: number;
  readonly tolerance?: number;
}

export async function fitVector(
  predictions: Predictions,
  { strength = 1, evaluations = 11, tolerance = 1e-5 }: VectorOptions = {},
): Promise<VectorRepair> {
  const V = predictions.classes;
  const start = new Float64Array(2 * V).fill(1, 0, V); // factors, then shifts
  if (predictions.count === 0) return unpacked(start);
  const diagonal = await curvatures(predictions, strength);
  const evaluate = (x: Float64Array) => lossAt(predictions, x, strength);
  return unpacked(await minimise(evaluate, start, { diagonal, evaluations, tolerance }));
}

const unpacked = (x: Float64Array): VectorRepair => ({
  kind: "vector",
  factors: Array.from(x.subarray(0, x.length / 2)),
  shifts: Array.from(x.subarray(x.length / 2)),
});

/** Scores of a row and what normalises them. What is impossible stays so. */
function scoresOf(x: Float64Array, row: LogProbs, scores: Float64Array): number {
  const V = row.length;
  let largest = Number.NEGATIVE_INFINITY;
  for (let v = 0; v < V; v++) {
    const score = row[v] === Number.NEGATIVE_INFINITY ? row[v]! : x[v]! * row[v]! + x[V + v]!;
    scores[v] = score;
    if (score > largest) largest = score;
  }
  let total = 0;
  for (let v = 0; v < V; v++) {
    const weight = Math.exp(scores[v]! - largest);
    scores[v] = weight;
    total += weight;
  }
  return total;
}

async function lossAt(predictions: Predictions, x: Float64Array, strength: number) {
  const V = predictions.classes;
  const gradient = x.map((value, i) => strength * (value - (i < V ? 1 : 0)));
  let value = 0;
  for (let i = 0; i < x.length; i++) value += (strength / 2) * (x[i]! - (i < V ? 1 : 0)) ** 2;
  const weights = new Float64Array(V);
  await eachRow(predictions, (row, target) => {
    if (row[target] === Number.NEGATIVE_INFINITY) return;
    const total = scoresOf(x, row, weights);
    value -= Math.log(weights[target]! / total);
    for (let v = 0; v < V; v++) {
      const p = weights[v]! / total;
      if (p === 0) continue;
      gradient[v]! += p * row[v]!;
      gradient[V + v]! += p;
    }
    gradient[target]! -= row[target]!;
    gradient[V + target]! -= 1;
  });
  return { value, gradient };
}

/** The Hessian's diagonal at the start: `Σ p (1 − p) (log p)²` and `Σ p (1 − p)`, and the prior. */
async function curvatures(predictions: Predictions, strength: number): Promise<Float64Array> {
  const V = predictions.classes;
  const diagonal = new Float64Array(2 * V).fill(strength);
  await eachRow(predictions, (row) => {
    for (let v = 0; v < V; v++) {
      const p = Math.exp(row[v]!);
      if (p === 0) continue;
      const variance = p * (1 - p);
      diagonal[v]! += variance * row[v]! * row[v]!;
      diagonal[V + v]! += variance;
    }
  });
  return diagonal;
}

export function applyVector({ factors, shifts }: VectorRepair, row: LogProbs, repaired: Float64Array): void {
  for (let v = 0; v < row.length; v++)
    repaired[v] = row[v] === Number.NEGATIVE_INFINITY ? row[v]! : factors[v]! * row[v]! + shifts[v]!;
  normalise(repaired);
}
