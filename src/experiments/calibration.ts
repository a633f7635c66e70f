/** @file Calibration of a checkpoint: repairs fitted on one text, everything measured on another, as a stream of plain events. */
import {
  answerRepair,
  type BinaryMeasurement,
  collectAnswers,
  fitAnswers,
  measureAnswers,
} from "../calibration/binary.ts";
import { type Measurement, type MeasureOptions, measure } from "../calibration/measure.ts";
import type { Predictions } from "../calibration/predictions.ts";
import { largestMatrix } from "../calibration/repairs/matrix.ts";
import {
  fitRepair,
  fitTopLabel,
  isTopLabelKind,
  type Repair,
  type RepairKind,
  repairKinds,
  rowRepair,
  type TopLabelKind,
  topLabelKinds,
} from "../calibration/repairs/table.ts";
import { collectTopLabels, type TopLabels } from "../calibration/repairs/topLabels.ts";

/** Predictions as they are, or one repair of them, measured on text that it was not fitted on. */
export interface CalibrationEvent {
  /** `none` comes first. */
  readonly kind: "none" | RepairKind;
  readonly repair?: Repair;
  readonly measurement: Measurement;
  /** Time taken by fitting and by measuring. */
  readonly milliseconds: { readonly fit: number; readonly measure: number };
}

export interface CalibrationOptions {
  /** What repairs are fitted on. */
  readonly fitOn: Predictions;
  /** What everything is measured on. */
  readonly judgeOn: Predictions;
  readonly kinds: readonly RepairKind[];
  readonly measuring?: MeasureOptions;
}

/** Every repair that a vocabulary allows. */
export const kindsFor = (classes: number): RepairKind[] =>
  repairKinds.filter((kind) => kind !== "matrix" || classes <= largestMatrix);

/** One event as it is, then one a repair, in the order of `kinds`. */
export async function* calibration(options: CalibrationOptions): AsyncGenerator<CalibrationEvent> {
  const { fitOn, judgeOn, kinds, measuring } = options;
  const judge = async (repair?: Repair) => timed(() => measure(judgeOn, repair && rowRepair(repair), measuring));
  const before = await judge();
  yield { kind: "none", measurement: before.result, milliseconds: { fit: 0, measure: before.milliseconds } };
  let labels: TopLabels | undefined;
  for (const kind of kinds) {
    const fitted = await timed(async () => {
      if (!isTopLabelKind(kind)) return fitRepair(kind, fitOn);
      labels ??= await collectTopLabels(fitOn);
      return fitTopLabel(kind, labels);
    });
    const judged = await judge(fitted.result);
    const milliseconds = { fit: fitted.milliseconds, measure: judged.milliseconds };
    yield { kind, repair: fitted.result, measurement: judged.result, milliseconds };
  }
}

async function timed<T>(work: () => Promise<T>): Promise<{ result: T; milliseconds: number }> {
  const start = performance.now();
  const result = await work();
  return { result, milliseconds: performance.now() - start };
}

/** Answers of independent sigmoids as they are, or one repair of them, measured on text that it was not fitted on. */
export interface AnswersEvent {
  /** `none` comes first. */
  readonly kind: "none" | TopLabelKind;
  readonly repair?: Repair;
  readonly measurement: BinaryMeasurement;
}

/** One event as they are, then one a repair. Rows are `log σ(z)`. */
export async function* answersCalibration({
  fitOn,
  judgeOn,
  measuring,
}: Omit<CalibrationOptions, "kinds">): AsyncGenerator<AnswersEvent> {
  yield { kind: "none", measurement: await measureAnswers(judgeOn, undefined, measuring) };
  const answers = await collectAnswers(fitOn);
  for (const kind of topLabelKinds) {
    const repair = fitAnswers(kind, answers);
    yield { kind, repair, measurement: await measureAnswers(judgeOn, answerRepair(repair), measuring) };
  }
}
