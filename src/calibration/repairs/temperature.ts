/**
 * @file Temperature scaling (Guo et al. 2017, https://arxiv.org/abs/1706.04599): `softmax(log p / τ)`, one number for all.
 *
 * With β = 1/τ the loss `mean logsumexp(β log p) − β log p_y` is convex in β, its slope `mean E_β[log p] − log p_y`, and the slope's
 * derivatives are the further cumulants of log p. One walk over the data gives them all, so few walks do: Halley's steps, whose error
 * is cubed each time, within a bracket that halves whenever they leave it. It starts from log-probabilities, and τ cannot leave [0.01, 100].
 */
import { z } from "zod";
import { cumulantsAt, sumOfPowers } from "../../lm/exponential.ts";
import { maximum } from "../../lm/softmax.ts";
import { eachRow, type LogProbs, type Predictions } from "../predictions.ts";

export const TemperatureRepair = z.strictObject({
  kind: z.literal("temperature"),
  temperature: z.number().min(0.01).max(100),
});
export type TemperatureRepair = z.infer<typeof TemperatureRepair>;

const bounds = [0.01, 100] as const;
const maximumSteps = 60;
/** Halley is done by then, unless the best temperature lies at a bound: there its steps are small for ever. */
const halleySteps = 12;
/** A step in log β below this is the last: the error is then about its cube. */
const tolerance = 1e-3;

export async function fitTemperature(predictions: Predictions): Promise<TemperatureRepair> {
  let [low, high] = bounds as readonly [number, number];
  let beta = 1;
  for (let count = 0; count < maximumSteps; count++) {
    const { slope, curvature, bend } = await slopeAt(predictions, beta);
    if (slope > 0) high = beta;
    else low = beta;
    if (slope === 0) break;
    const halley = beta - (2 * slope * curvature) / (2 * curvature * curvature - slope * bend);
    const next = count < halleySteps && halley > low && halley < high ? halley : Math.sqrt(low * high);
    const moved = Math.abs(Math.log(next / beta));
    beta = next;
    if (moved < tolerance) break;
  }
  return { kind: "temperature", temperature: Math.min(bounds[1], Math.max(bounds[0], 1 / beta)) };
}

/** Sums of the first three derivatives of the loss in β. A target held impossible says nothing of β. */
async function slopeAt(predictions: Predictions, beta: number) {
  let [slope, curvature, bend] = [0, 0, 0];
  await eachRow(predictions, (row, target) => {
    if (row[target] === Number.NEGATIVE_INFINITY) return;
    const { mean, variance, third } = cumulantsAt(row, maximum(row), beta);
    slope += mean - row[target]!;
    curvature += variance;
    bend += third;
  });
  return { slope, curvature, bend };
}

/** `log softmax(row / τ)`: order and ties stay as they are. */
export function applyTemperature({ temperature }: TemperatureRepair, row: LogProbs, repaired: Float64Array): void {
  const beta = 1 / temperature;
  for (let v = 0; v < row.length; v++) repaired[v] = row[v]! * beta;
  normalise(repaired);
}

/** Takes the log-sum-exp off, in place: probabilities then sum to 1. */
export function normalise(scores: Float64Array): void {
  const largest = maximum(scores);
  if (largest === Number.NEGATIVE_INFINITY) return; // nothing is possible: nothing to share
  const logSumExp = largest + Math.log(sumOfPowers(scores, largest));
  for (let v = 0; v < scores.length; v++) scores[v]! -= logSumExp;
}
