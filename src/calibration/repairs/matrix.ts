/**
 * @file Matrix scaling (Guo et al. 2017, section 4.2) with regularised off-diagonal and shifts (Kull et al. 2019, ODIR):
 * `softmax(W log p + b)`. V² numbers: only for small V.
 */
import { z } from "zod";
import { SandboxError } from "../../engine/errors.ts";
import { minimise } from "../minimise.ts";
import { eachRow, type LogProbs, type Predictions } from "../predictions.ts";
import { normalise } from "./temperature.ts";

/** The largest V: 65,536 numbers to fit. */
export const largestMatrix = 256;

export const MatrixRepair = z
  .strictObject({ kind: z.literal("matrix"), rows: z.array(z.array(z.number())), shifts: z.array(z.number()) })
  .refine(
    ({ rows, shifts }) => rows.length === shifts.length && rows.every((row) => row.length === shifts.length),
    "rows must be a square as wide as shifts",
  );
export type MatrixRepair = z.infer<typeof MatrixRepair>;

export interface MatrixOptions {
  /** Prior of off-diagonal entries: `offDiagonal/2 Σ w_ij²` is added to the summed loss, nats. */
  readonly offDiagonal?: number;
  /** Prior of the diagonal around 1 and of the shifts around 0. */
  readonly strength?: number;
  readonly evaluations?: number;
  readonly tolerance?: number;
}

/** Log-probabilities below this are multiplied as this: an entry of W times −∞ would be no number. */
const floor = -100;

/** @throws {SandboxError} above `largestMatrix` classes. */
export async function fitMatrix(
  predictions: Predictions,
  { offDiagonal = 100, strength = 1, evaluations = 40, tolerance = 1e-5 }: MatrixOptions = {},
): Promise<MatrixRepair> {
  const V = predictions.classes;
  if (V > largestMatrix)
    throw new SandboxError(
      `matrix scaling: at most ${largestMatrix} classes, got ${V}: it would fit ${V} × ${V} numbers`,
      "Use vector scaling, or temperature.",
    );
  const start = new Float64Array(V * V + V); // W row by row, then shifts
  for (let v = 0; v < V; v++) start[v * V + v] = 1;
  if (predictions.count === 0) return unpacked(start, V);
  const priors = Float64Array.from(start, (_, i) => (i < V * V && i % (V + 1) !== 0 ? offDiagonal : strength));
  const diagonal = await curvatures(predictions, priors);
  const evaluate = (x: Float64Array) => lossAt(predictions, x, start, priors);
  return unpacked(await minimise(evaluate, start, { diagonal, evaluations, tolerance }), V);
}

const unpacked = (x: Float64Array, V: number): MatrixRepair => ({
  kind: "matrix",
  rows: Array.from({ length: V }, (_, v) => Array.from(x.subarray(v * V, (v + 1) * V))),
  shifts: Array.from(x.subarray(V * V)),
});

const floored = (row: LogProbs, inputs: Float64Array): void => {
  for (let v = 0; v < row.length; v++) inputs[v] = Math.max(floor, row[v]!);
};

async function lossAt(predictions: Predictions, x: Float64Array, start: Float64Array, priors: Float64Array) {
  const V = predictions.classes;
  const gradient = x.map((value, i) => priors[i]! * (value - start[i]!));
  let value = 0;
  for (let i = 0; i < x.length; i++) value += (priors[i]! / 2) * (x[i]! - start[i]!) ** 2;
  const [inputs, scores] = [new Float64Array(V), new Float64Array(V)];
  await eachRow(predictions, (row, target) => {
    floored(row, inputs);
    for (let v = 0; v < V; v++) scores[v] = x[V * V + v]! + product(x, v * V, inputs);
    normalise(scores);
    value -= scores[target]!;
    for (let v = 0; v < V; v++) {
      const error = Math.exp(scores[v]!) - (v === target ? 1 : 0);
      gradient[V * V + v]! += error;
      for (let u = 0; u < V; u++) gradient[v * V + u]! += error * inputs[u]!;
    }
  });
  return { value, gradient };
}

function product(x: Float64Array, start: number, inputs: Float64Array): number {
  let sum = 0;
  for (let u = 0; u < inputs.length; u++) sum += x[start + u]! * inputs[u]!;
  return sum;
}

/** The Hessian's diagonal at the start: `Σ p_v (1 − p_v) (log p_u)²`, and the priors. */
async function curvatures(predictions: Predictions, priors: Float64Array): Promise<Float64Array> {
  const V = predictions.classes;
  const diagonal = priors.slice();
  const inputs = new Float64Array(V);
  await eachRow(predictions, (row) => {
    floored(row, inputs);
    for (let v = 0; v < V; v++) {
      const p = Math.exp(row[v]!);
      const variance = p * (1 - p);
      diagonal[V * V + v]! += variance;
      for (let u = 0; u < V; u++) diagonal[v * V + u]! += variance * inputs[u]! * inputs[u]!;
    }
  });
  return diagonal;
}

export function applyMatrix({ rows, shifts }: MatrixRepair, row: LogProbs, repaired: Float64Array): void {
  for (let v = 0; v < row.length; v++) {
    let score = shifts[v]!;
    for (let u = 0; u < row.length; u++) score += rows[v]![u]! * Math.max(floor, row[u]!);
    repaired[v] = score;
  }
  normalise(repaired);
}
