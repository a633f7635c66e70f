/**
 * @file Platt scaling (Platt 1999) of the top label: `c' = σ(a · logit c + b)`, fitted to softened labels
 * `(n₊ + 1) / (n₊ + 2)` and `1 / (n₋ + 2)`, so that it stays finite when all were right.
 */
import { z } from "zod";
import { fitLogistic, sigmoid } from "../logistic.ts";
import type { TopLabel } from "../predictions.ts";
import { logOdds, type TopLabels } from "./topLabels.ts";

export const PlattRepair = z.strictObject({
  kind: z.literal("platt"),
  samples: z.int().nonnegative(),
  slope: z.number(),
  intercept: z.number(),
});
export type PlattRepair = z.infer<typeof PlattRepair>;

export function fitPlatt(labels: TopLabels): PlattRepair {
  const samples = labels.correct.length;
  const scores = Float64Array.from(labels.logTop, (logTop, n) => logOdds({ logTop, logRest: labels.logRest[n]! }));
  const right = labels.correct.reduce((sum, one) => sum + one, 0);
  const [high, low] = [(right + 1) / (right + 2), 1 / (samples - right + 2)];
  const targets = Float64Array.from(labels.correct, (one) => (one ? high : low));
  const features = [scores, new Float64Array(samples).fill(1)];
  const [slope, intercept] = fitLogistic({ features, targets, start: [1, 0] });
  return { kind: "platt", samples, slope: slope!, intercept: intercept! };
}

export const plattConfidence = ({ slope, intercept }: PlattRepair, label: Pick<TopLabel, "logTop" | "logRest">) =>
  sigmoid(slope * logOdds(label) + intercept);
