/** @file What calibration found, as tables for people and as JSON. */
import type { BinaryMeasurement } from "../calibration/binary.ts";
import type { Estimate } from "../calibration/bootstrap.ts";
import type { MetricName } from "../calibration/measure.ts";
import type { AnswersEvent, CalibrationEvent } from "../experiments/calibration.ts";

interface Column {
  readonly title: string;
  readonly width: number;
  show(event: CalibrationEvent): string;
}

const number = (title: string, metric: MetricName, digits: number): Column => ({
  title,
  width: Math.max(title.length, digits + 2) + 2,
  show: ({ measurement }) => figure(measurement.metrics[metric].value, digits),
});

/** `0.0312 (0.0251–0.0370)`. */
const withInterval = (title: string, metric: MetricName): Column => ({
  title,
  width: 24,
  show: ({ measurement }) => interval(measurement.metrics[metric]),
});

/** A figure with fixed digits; what became impossible says so. */
const figure = (value: number, digits: number): string => (Number.isFinite(value) ? value.toFixed(digits) : "∞");
const interval = ({ value, lower, upper }: Estimate): string =>
  `${figure(value, 4)} (${figure(lower, 4)}–${figure(upper, 4)})`;

const name: Column = { title: "", width: 0, show: ({ kind }) => (kind === "none" ? "as it is" : kind) };

/** Errors first; what they are made of below, each table at most 80 columns wide. */
const tables: readonly (readonly Column[])[] = [
  [
    number("NLL", "nll", 4),
    withInterval("ECE (95 % interval)", "ece"),
    number("ECE mass", "eceMass", 4),
    number("KS", "ks", 4),
    number("MCE", "mce", 3),
    number("Full-ECE", "fullEce", 4),
  ],
  [
    number("accuracy", "accuracy", 4),
    number("confidence", "confidence", 4),
    number("entropy", "sharpness", 4),
    number("Brier", "brier", 4),
    number("adaptive", "adaptive", 4),
    number("class-wise", "classWise", 7),
  ],
];

const nameWidth = 11;

/** The lines of both tables. */
export function calibrationTables(events: readonly CalibrationEvent[]): string[] {
  return tables.flatMap((columns, i) => [
    ...(i > 0 ? [""] : []),
    " ".repeat(nameWidth) + columns.map(({ title, width }) => title.padStart(width)).join(""),
    ...events.map(
      (event) =>
        name.show(event).padEnd(nameWidth) +
        columns.map((column) => column.show(event).padStart(column.width)).join(""),
    ),
  ]);
}

/** Which repair helps: the one of lowest NLL, if that is lower than before. */
export function verdict(events: readonly CalibrationEvent[]): string {
  const nll = ({ measurement }: CalibrationEvent): number => measurement.metrics.nll.value;
  const [before, ...repairs] = events;
  if (!before || repairs.length === 0) return "";
  const best = repairs.reduce((lowest, event) => (nll(event) < nll(lowest) ? event : lowest));
  const change = nll(best) - nll(before);
  return change < 0
    ? `${best.kind} lowers NLL most, by ${(-change).toFixed(4)} nats per token`
    : `no repair lowers NLL; the least harm is done by ${best.kind}, ${change.toFixed(4)} nats per token`;
}

const binaryColumns: readonly { title: string; width: number; show(measurement: BinaryMeasurement): string }[] = [
  { title: "NLL", width: 8, show: ({ metrics }) => figure(metrics.nll.value, 4) },
  { title: "sum of σ (95 % interval)", width: 27, show: ({ metrics }) => interval(metrics.sum) },
  { title: "ECE", width: 9, show: ({ metrics }) => figure(metrics.ece.value, 4) },
  { title: "Full-ECE", width: 10, show: ({ metrics }) => figure(metrics.fullEce.value, 4) },
  { title: "Brier", width: 8, show: ({ metrics }) => figure(metrics.brier.value, 4) },
];

/** The lines on independent sigmoids, judged as V questions a token. */
export const answersTable = (events: readonly AnswersEvent[]): string[] => [
  " ".repeat(nameWidth) + binaryColumns.map(({ title, width }) => title.padStart(width)).join(""),
  ...events.map(
    ({ kind, measurement }) =>
      (kind === "none" ? "as it is" : kind).padEnd(nameWidth) +
      binaryColumns.map(({ width, show }) => show(measurement).padStart(width)).join(""),
  ),
];
