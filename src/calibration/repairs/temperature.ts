/**
 * @file Temperature scaling (Guo et al. 2017, https://arxiv.org/abs/1706.04599): `softmax(log p / τ)`, one number for all.
 *
 * With β = 1/τ the loss `mean logsumexp(β log p) − β log p_y` is convex in β, its slope `mean E_β[log p] − log p_y`: Newton's steps
 * within a bracket that halves whenever they leave it. It starts from log-probabilities, and τ cannot leave [0.01, 100].
 */
import { z } from "zod";
import { eachRow, type LogProbs, type Predictions } from "../predictions.ts";

export const TemperatureRepair = z.strictObject({
  kind: z.literal("temperature"),
  temperature: z.number().min(0.01).max(100),
});
export type TemperatureRepair = z.infer<typeof TemperatureRepair>;

const bounds = [0.01, 100] as const;
const maximumSteps = 60;
/** Newton is done by then, unless the best temperature lies at a bound: there its steps are small for ever. */
const newtonSteps = 12;
/** A step in log β below this is the last: Newton's error is then about its square. */
const tolerance = 1e-4;

export async function fitTemperature(predictions: Predictions): Promise<TemperatureRepair> {
  let [low, high] = bounds as readonly [number, number];
  let beta = 1;
  for (let count = 0; count < maximumSteps; count++) {
    const { slope, curvature } = await slopeAt(predictions, beta);
    if (slope > 0) high = beta;
    else low = beta;
    if (slope === 0) break;
    const newton = curvature > 0 ? beta - slope / curvature : Number.NaN;
    const next = count < newtonSteps && newton > low && newton < high ? newton : Math.sqrt(low * high);
    const moved = Math.abs(Math.log(next / beta));
    beta = next;
    if (moved < tolerance) break;
  }
  return { kind: "temperature", temperature: Math.min(bounds[1], Math.max(bounds[0], 1 / beta)) };
}

/** Sums of first and second derivatives of the loss in β. A target held impossible says nothing of β. */
async function slopeAt(predictions: Predictions, beta: number): Promise<{ slope: number; curvature: number }> {
  let [slope, curvature] = [0, 0];
  await eachRow(predictions, (row, target) => {
    if (row[target] === Number.NEGATIVE_INFINITY) return;
    const { mean, variance } = momentsAt(row, beta);
    slope += mean - row[target]!;
    curvature += variance;
  });
  return { slope, curvature };
}

/** Mean and variance of `log p` under `softmax(β log p)`, taken from the largest. */
function momentsAt(row: LogProbs, beta: number): { mean: number; variance: number } {
  let largest = Number.NEGATIVE_INFINITY;
  for (let v = 0; v < row.length; v++) if (row[v]! > largest) largest = row[v]!;
  let [total, first, second] = [0, 0, 0];
  for (let v = 0; v < row.length; v++) {
    const difference = row[v]! - largest;
    const weight = Math.exp(beta * difference);
    if (weight === 0) continue;
    total += weight;
    first += weight * difference;
    second += weight * difference * difference;
  }
  const mean = first / total;
  return { mean: mean + largest, variance: Math.max(0, second / total - mean * mean) };
}

/** `log softmax(row / τ)`: order and ties stay as they are. */
export function applyTemperature({ temperature }: TemperatureRepair, row: LogProbs, repaired: Float64Array): void {
  for (let v = 0; v < row.length; v++) repaired[v] = row[v]! / temperature;
  normalise(repaired);
}

/** Takes the log-sum-exp off, in place: probabilities then sum to 1. */
export function normalise(scores: Float64Array): void {
  let largest = Number.NEGATIVE_INFINITY;
  for (let v = 0; v < scores.length; v++) if (scores[v]! > largest) largest = scores[v]!;
  if (largest === Number.NEGATIVE_INFINITY) return; // nothing is possible: nothing to share
  let total = 0;
  for (let v = 0; v < scores.length; v++) total += Math.exp(scores[v]! - largest);
  const logSumExp = largest + Math.log(total);
  for (let v = 0; v < scores.length; v++) scores[v]! -= logSumExp;
}
