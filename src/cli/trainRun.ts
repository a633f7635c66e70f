/** @file Trains a run to its end or to the user's Ctrl-C, telling how it goes. Shared by `train` and `start`. */
import { runTraining } from "../experiments/runTraining.ts";
import type { Session } from "../experiments/session.ts";
import { headName } from "../lm/heads/shortForm.ts";
import { formatCount, formatDuration, print } from "./output.ts";
import { createJsonPrinter, createProgressPrinter, type ProgressPrinter } from "./progress.ts";
import { stopOnSignals } from "./stopOnSignals.ts";

/** Where the run stands when it ends. */
export interface TrainResult {
  readonly step: number;
  readonly reason: "finished" | "stopped";
}

/** What is about to be trained, the head with its numbers also where they were not named. */
export function introduce({ config, dataset, model, progress }: Session): void {
  const { train, validation } = dataset.splits;
  print(
    `model: ${model.config.kind}, head ${headName(model.config.head)}, ${formatCount(model.parameterCount)} parameters · corpus: ${dataset.corpus.name}, ` +
      `${formatCount(train.ids.length)} tokens to learn from, ${formatCount(validation.ids.length)} to validate on, ` +
      `vocabulary ${formatCount(dataset.tokenizer.vocabSize)} (${dataset.tokenizer.kind})`,
  );
  const { steps, batchSize, accumulate } = config.training;
  const tokens = batchSize * accumulate * config.model.contextLength;
  const from = progress.step ? `resuming at step ${progress.step} of ${steps}` : `${steps} steps`;
  print(`training: ${from}, ${formatCount(tokens)} tokens a step`);
}

/** Trains `session`, which stays open. */
export async function trainRun(
  session: Session,
  json: boolean,
  printer: ProgressPrinter = json ? createJsonPrinter() : createProgressPrinter(session.config.training.steps),
): Promise<TrainResult> {
  const { signal, release } = stopOnSignals("stopping after this step, saving");
  const start = performance.now();
  let result: TrainResult = { step: session.progress.step, reason: "stopped" };
  try {
    for await (const event of runTraining(session, signal)) {
      printer.show(event);
      if (event.type === "done") result = event;
    }
  } finally {
    release();
  }
  if (signal.aborted) process.exitCode = 130; // so that a script does not go on as if all steps were made
  if (!json) print(closingLine(session, result, (performance.now() - start) / 1000));
  return result;
}

function closingLine({ folder }: Session, { step, reason }: TrainResult, seconds: number): string {
  const time = formatDuration(seconds);
  if (reason === "finished") return `trained to step ${step} in ${time}, saved in ${folder}`;
  return `stopped at step ${step} after ${time}, saved. Go on with: softbox train --resume ${folder}`;
}
