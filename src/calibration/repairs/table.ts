/** @file Every repair there is: its JSON form, how it is fitted and how it acts. A new one is a new file and a line in each table. */
import { z } from "zod";
import { SandboxError } from "../../engine/errors.ts";
import { describeIssues } from "../../engine/issues.ts";
import type { RowRepair } from "../measure.ts";
import { type Predictions, type TopLabel, topLabel } from "../predictions.ts";
import { BbqRepair, bbqConfidence, fitBbq } from "./bbq.ts";
import { BetaRepair, betaConfidence, fitBeta } from "./beta.ts";
import { fitHistogram, HistogramRepair, histogramConfidence } from "./histogram.ts";
import { fitIsotonic, IsotonicRepair, isotonicConfidence } from "./isotonic.ts";
import { applyMatrix, fitMatrix, MatrixRepair } from "./matrix.ts";
import { fitPlatt, PlattRepair, plattConfidence } from "./platt.ts";
import { applyTemperature, fitTemperature, TemperatureRepair } from "./temperature.ts";
import { collectTopLabels, spread, type TopLabels } from "./topLabels.ts";
import { applyVector, fitVector, VectorRepair } from "./vector.ts";

/** A fitted repair; plain JSON. */
export const Repair = z.discriminatedUnion("kind", [
  TemperatureRepair,
  VectorRepair,
  MatrixRepair,
  PlattRepair,
  BetaRepair,
  HistogramRepair,
  IsotonicRepair,
  BbqRepair,
]);
export type Repair = z.infer<typeof Repair>;
export type RepairKind = Repair["kind"];

/** Repairs of the whole distribution. */
const distributionFits = {
  temperature: (predictions: Predictions) => fitTemperature(predictions),
  vector: (predictions: Predictions) => fitVector(predictions),
  matrix: (predictions: Predictions) => fitMatrix(predictions),
};

/** Repairs of the likeliest class's confidence; the other classes keep their proportions (`topLabels.ts`). */
const topLabelFits = {
  platt: fitPlatt,
  beta: fitBeta,
  histogram: (labels: TopLabels) => fitHistogram(labels),
  isotonic: fitIsotonic,
  bbq: fitBbq,
};

const distributionKinds = ["temperature", "vector", "matrix"] as const satisfies RepairKind[];
export const topLabelKinds = ["platt", "beta", "histogram", "isotonic", "bbq"] as const satisfies RepairKind[];
export const repairKinds: readonly RepairKind[] = [...distributionKinds, ...topLabelKinds];

export type TopLabelKind = (typeof topLabelKinds)[number];
export const isTopLabelKind = (kind: RepairKind): kind is TopLabelKind => kind in topLabelFits;

/** Fits a repair of the top label on pairs at hand. */
export const fitTopLabel = (kind: TopLabelKind, labels: TopLabels): Repair & { kind: TopLabelKind } =>
  topLabelFits[kind](labels);

/** Fits any repair. @throws {SandboxError} for matrix scaling of too many classes. */
export async function fitRepair(kind: RepairKind, predictions: Predictions): Promise<Repair> {
  if (isTopLabelKind(kind)) return fitTopLabel(kind, await collectTopLabels(predictions));
  return distributionFits[kind](predictions);
}

/** The repair as a function of a top label: what its confidence becomes, in [0, 1]. */
export function confidenceRepair(
  repair: Repair & { kind: TopLabelKind },
): (label: Pick<TopLabel, "logTop" | "logRest">) => number {
  switch (repair.kind) {
    case "platt":
      return (label) => plattConfidence(repair, label);
    case "beta":
      return (label) => betaConfidence(repair, label);
    case "histogram":
      return ({ logTop }) => histogramConfidence(repair, Math.exp(logTop));
    case "isotonic":
      return ({ logTop }) => isotonicConfidence(repair, Math.exp(logTop));
    case "bbq": {
      const confidence = bbqConfidence(repair);
      return ({ logTop }) => confidence(Math.exp(logTop));
    }
    default:
      return repair satisfies never;
  }
}

/** The repair as a function of rows; what it writes is normalised. */
export function rowRepair(repair: Repair): RowRepair {
  switch (repair.kind) {
    case "temperature":
      return (row, repaired) => applyTemperature(repair, row, repaired);
    case "vector":
      return (row, repaired) => applyVector(repair, row, repaired);
    case "matrix":
      return (row, repaired) => applyMatrix(repair, row, repaired);
    default: {
      const confidence = confidenceRepair(repair);
      return (row, repaired) => {
        const label = topLabel(row);
        spread(row, label, confidence(label), repair.samples, repaired);
      };
    }
  }
}

/** How many classes a repair is for; undefined where any number will do. */
export const classesOf = (repair: Repair): number | undefined =>
  repair.kind === "vector" || repair.kind === "matrix" ? repair.shifts.length : undefined;

/** Reads a saved repair. @param where - for the message. @throws {SandboxError} naming every wrong value by its path. */
export function parseRepair(where: string, raw: unknown): Repair {
  const result = Repair.safeParse(raw);
  if (result.success) return result.data;
  throw new SandboxError(`${where}:\n${describeIssues(result.error, raw)}`, "Fit it again: softbox calibrate --save.");
}
