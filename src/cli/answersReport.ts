/** @file What `softbox calibrate` adds for a head of independent sigmoids: each as the answer to a question of its own. */

import { diagramLegend, diagramText } from "../calibration/diagramText.ts";
import type { MeasureOptions } from "../calibration/measure.ts";
import type { Predictions } from "../calibration/predictions.ts";
import { type AnswersEvent, answersCalibration } from "../experiments/calibration.ts";
import { answersTable } from "./calibrationTable.ts";
import { formatCount, print, printJson } from "./output.ts";

export interface AnswersOptions {
  /** Rows of `log σ(z)`. */
  readonly fitOn: Predictions;
  readonly judgeOn: Predictions;
  readonly measuring: MeasureOptions;
}

/** @param json - what stands in every JSON line; a table for people where absent. */
export async function reportAnswers(options: AnswersOptions, json: object | undefined): Promise<void> {
  const events: AnswersEvent[] = [];
  for await (const event of answersCalibration(options)) {
    events.push(event);
    if (json) printJson({ ...json, type: "answers", kind: event.kind, ...event.measurement, repair: event.repair });
  }
  if (json) return;
  print();
  print("The sigmoids themselves, as answers to a question a token: is this the next one?");
  print(
    `They sum to anything, calibrated ones to 1 on average; NLL is over all ${formatCount(options.judgeOn.classes)}.`,
  );
  print();
  for (const line of answersTable(events)) print(line);
  print();
  print("all answers as they are");
  for (const line of diagramText(events[0]!.measurement.bins)) print(line);
  print(diagramLegend);
}
