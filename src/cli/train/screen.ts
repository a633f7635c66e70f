/** @file `softbox train --ui` on a terminal: which port, and what is said when the screen has gone. */
import { constants } from "node:os";
import { runTrain, type TrainEnd } from "../../tui/train/train.ts";
import { note, print } from "../output.ts";
import type { TrainWork } from "./messages.ts";
import { recordOf } from "./record.ts";
import { createRecordPort } from "./recordPort.ts";
import { createTrainPort } from "./workerPort.ts";

export async function trainOnScreen(work: TrainWork): Promise<void> {
  const { folder } = work.job;
  const kind = recordOf(work.job);
  const end = await runTrain(kind === undefined ? createTrainPort(work) : createRecordPort(folder, kind));
  if (end.failure) {
    note(`error: ${end.failure.text}`);
    if (end.failure.hint) note(`hint: ${end.failure.hint}`);
    process.exitCode = 1;
  } else print(closingLine(end, folder));
  if (end.signal) process.exitCode = 128 + constants.signals[end.signal];
}

function closingLine({ card, phase, step, savedStep }: TrainEnd, folder: string): string {
  if (card === undefined) return `left before ${folder} was loaded; nothing has changed`;
  if (card.source !== "training") return `${folder}: step ${step} of ${card.steps}`;
  if (phase === "finished") return `trained to step ${step}, saved in ${folder}`;
  const goOn = `Go on with: softbox train --ui --resume ${folder}`;
  if (phase === "stopped") return `stopped at step ${step}, saved. ${goOn}`;
  return `left at once; saved up to step ${savedStep ?? card.from}. ${goOn}`;
}
