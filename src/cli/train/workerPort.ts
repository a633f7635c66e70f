/** @file The training screen's port, filled by a thread that trains. */
import { SandboxError } from "../../engine/errors.ts";
import type { RunCard, TrainListener, TrainPort } from "../../tui/train/port.ts";
import { startWorker } from "../startWorker.ts";
import type { FromTraining, ToTraining, TrainWork } from "./messages.ts";

/** A port whose thread starts when it is opened. */
export function createTrainPort(work: TrainWork): TrainPort {
  let worker: ReturnType<typeof startWorker> | undefined;
  const wish = (message: ToTraining): void => worker?.postMessage(message);
  return {
    open: (listener) =>
      new Promise<RunCard>((resolve, reject) => {
        worker = startWorker(new URL("./worker.js", import.meta.url), work);
        let ended = false;
        const die = (error: Error): void => {
          if (ended) return;
          ended = true;
          reject(error); // where the run has not been opened yet
          listener.failed(error);
        };
        worker.on("message", (message: FromTraining) => {
          if (message.type === "failed") die(new SandboxError(message.message, message.hint));
          else if (message.type === "opened") resolve(message.card);
          else ended = tell(listener, message) || ended;
        });
        worker.on("error", (error) => die(deathOf(`died: ${(error as Error).message}`, work)));
        worker.on("exit", () => die(deathOf("has ended", work)));
      }),
    ready: () => wish("ready"),
    pause: () => wish("pause"),
    resume: () => wish("resume"),
    save: () => wish("save"),
    stop: () => wish("stop"),
    skip: () => {},
    close: async () => {
      await worker?.terminate();
    },
  };
}

/** Hands a batch on; true if it holds the run's end. */
function tell(listener: TrainListener, { batch }: Extract<FromTraining, { type: "batch" }>): boolean {
  listener.batch(batch);
  return batch.events.some((event) => event.type === "done");
}

const deathOf = (how: string, { job }: TrainWork): SandboxError =>
  new SandboxError(
    `the training thread ${how}`,
    `Everything up to the last checkpoint is kept: softbox train --resume ${job.folder}`,
  );
