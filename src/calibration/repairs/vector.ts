/**
 * @file Vector scaling (Guo et al. 2017, section 4.2): `softmax(w ⊙ log p + b)`, a factor and a shift for each class.
 *
 * A vocabulary has more classes than most texts have words to fit them with, so w and b have a Gaussian prior around
 * "nothing to repair" (w = 1, b = 0): a class that the text never shows stays about as it was, and the loss, convex and bounded,
 * has one minimum at a finite place.
 */
import { z } from "zod";
import { writePowers } from "../../lm/exponential.ts";
import { type Evaluated, minimise } from "../minimise.ts";
import { eachRow, type LogProbs, type Predictions } from "../predictions.ts";
import { normalise } from "./temperature.ts";

export const VectorRepair = z
  .strictObject({ kind: z.literal("vector"), factors: z.array(z.number()), shifts: z.array(z.number()) })
  .refine(({ factors, shifts }) => factors.length === shifts.length, "factors and shifts must be equally many");
export type VectorRepair = z.infer<typeof VectorRepair>;

export interface VectorOptions {
  /** Strengths of the prior: `factors/2 Σ (w − 1)² + shifts/2 Σ b²` is added to the summed loss, nats. */
  readonly strengths?: Strengths;
  /** Walks over the data at most. */
  readonly evaluations?: number;
  readonly tolerance?: number;
}

export interface Strengths {
  readonly factors: number;
  readonly shifts: number;
}

/** A factor moves a score by `(w − 1) log p`, ten nats or so in a large vocabulary; a shift by itself. Weighed like this both cost alike. */
const usual: Strengths = { factors: 100, shifts: 1 };

export async function fitVector(
  predictions: Predictions,
  { strengths = usual, evaluations = 8, tolerance = 1e-5 }: VectorOptions = {},
): Promise<VectorRepair> {
  const V = predictions.classes;
  const start = new Float64Array(2 * V).fill(1, 0, V); // factors, then shifts
  if (predictions.count === 0) return unpacked(start);
  const diagonal = new Float64Array(2 * V).fill(strengths.factors, 0, V).fill(strengths.shifts, V);
  const first = await lossAt(predictions, start, strengths, diagonal);
  const evaluate = (x: Float64Array) => lossAt(predictions, x, strengths);
  return unpacked(await minimise(evaluate, start, { diagonal, first, evaluations, tolerance }));
}

const unpacked = (x: Float64Array): VectorRepair => ({
  kind: "vector",
  factors: Array.from(x.subarray(0, x.length / 2)),
  shifts: Array.from(x.subarray(x.length / 2)),
});

/**
 * Loss and gradient in one walk.
 *
 * @param diagonal - where given, what the walk tells of the Hessian's diagonal is added: `Σ p (1 − p) (log p)²` and `Σ p (1 − p)`.
 */
async function lossAt(
  predictions: Predictions,
  x: Float64Array,
  { factors, shifts }: Strengths,
  diagonal?: Float64Array,
): Promise<Evaluated> {
  const V = predictions.classes;
  const gradient = x.map((value, i) => (i < V ? factors * (value - 1) : shifts * value));
  let value = 0;
  for (let i = 0; i < x.length; i++) value += i < V ? (factors / 2) * (x[i]! - 1) ** 2 : (shifts / 2) * x[i]! ** 2;
  const halves = (values: Float64Array) => ({ factors: values.subarray(0, V), shifts: values.subarray(V) });
  const [at, slopes, curvatures] = [halves(x), halves(gradient), diagonal && halves(diagonal)];
  const scores = new Float64Array(V); // then their powers, in the same place: one array less in the cache
  await eachRow(predictions, (row, target) => {
    if (row[target] === Number.NEGATIVE_INFINITY) return;
    const largest = writeScores(at, row, scores);
    value += largest - scores[target]!;
    const total = writePowers(scores, largest, scores);
    value += Math.log(total);
    addSlopes(slopes, row, scores, 1 / total);
    slopes.factors[target]! -= row[target]!;
    slopes.shifts[target]! -= 1;
    if (curvatures) addCurvatures(curvatures, row, scores, 1 / total);
  });
  return { value, gradient };
}

/** A number for each factor and each shift, `[V]` each. */
interface Halves {
  readonly factors: Float64Array;
  readonly shifts: Float64Array;
}

/** Writes a row's scores; what is impossible stays so. @returns the largest. */
function writeScores({ factors, shifts }: Halves, row: LogProbs, scores: Float64Array): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (let v = 0; v < row.length; v++) {
    const score = row[v]! === Number.NEGATIVE_INFINITY ? row[v]! : factors[v]! * row[v]! + shifts[v]!;
    scores[v] = score;
    if (score > largest) largest = score;
  }
  return largest;
}

function addSlopes({ factors, shifts }: Halves, row: LogProbs, weights: Float64Array, scale: number): void {
  for (let v = 0; v < row.length; v++) {
    const p = weights[v]! * scale;
    if (p === 0) continue; // log p may be −∞
    factors[v]! += p * row[v]!;
    shifts[v]! += p;
  }
}

function addCurvatures({ factors, shifts }: Halves, row: LogProbs, weights: Float64Array, scale: number): void {
  for (let v = 0; v < row.length; v++) {
    const p = weights[v]! * scale;
    if (p === 0) continue;
    const variance = p * (1 - p);
    factors[v]! += variance * row[v]! * row[v]!;
    shifts[v]! += variance;
  }
}

export function applyVector({ factors, shifts }: VectorRepair, row: LogProbs, repaired: Float64Array): void {
  for (let v = 0; v < row.length; v++)
    repaired[v] = row[v] === Number.NEGATIVE_INFINITY ? row[v]! : factors[v]! * row[v]! + shifts[v]!;
  normalise(repaired);
}
