/**
 * @file Beta calibration (Kull et al. 2017, https://proceedings.mlr.press/v54/kull17a.html): `logit c' = a log c − b log(1 − c) + m`,
 * a, b ≥ 0, so that order is kept. The best of the logistic fits with both, one or none of the two slopes that obeys the signs.
 */
import { z } from "zod";
import { fitLogistic, type LogisticData, logisticLoss, sigmoid } from "../logistic.ts";
import type { TopLabel } from "../predictions.ts";
import type { TopLabels } from "./topLabels.ts";

export const BetaRepair = z.strictObject({
  kind: z.literal("beta"),
  samples: z.int().nonnegative(),
  a: z.number().nonnegative(),
  b: z.number().nonnegative(),
  m: z.number(),
});
export type BetaRepair = z.infer<typeof BetaRepair>;

/** A logarithm that is finite. */
const finite = (log: number): number => Math.max(-100, log);

export function fitBeta(labels: TopLabels): BetaRepair {
  const samples = labels.correct.length;
  const all: LogisticData = {
    features: [labels.logTop.map(finite), labels.logRest.map((log) => -finite(log)), new Float64Array(samples).fill(1)],
    targets: Float64Array.from(labels.correct),
    start: [1, 1, 0],
  };
  const fits = [[0, 1, 2], [0, 2], [1, 2], [2]].map((kept) => fitWith(all, kept));
  const allowed = fits.filter(({ coefficients: [a, b] }) => a! >= 0 && b! >= 0);
  const best = allowed.reduce((lowest, fit) => (fit.loss < lowest.loss ? fit : lowest));
  const [a, b, m] = best.coefficients;
  return { kind: "beta", samples, a: a!, b: b!, m: m! };
}

/** Fits the features `kept`; the other coefficients are 0. */
function fitWith(all: LogisticData, kept: readonly number[]): { coefficients: number[]; loss: number } {
  const pick = <T>(values: readonly T[]): T[] => kept.map((k) => values[k]!);
  const fitted = fitLogistic({ ...all, features: pick(all.features), start: pick(all.start) });
  const coefficients = [0, 0, 0];
  for (const [i, k] of kept.entries()) coefficients[k] = fitted[i]!;
  return { coefficients, loss: logisticLoss(all, coefficients) };
}

export const betaConfidence = ({ a, b, m }: BetaRepair, { logTop, logRest }: Pick<TopLabel, "logTop" | "logRest">) =>
  sigmoid(a * finite(logTop) - b * finite(logRest) + m);
