/** @file The thread that trains while the screen stays with the main thread. */
import { parentPort, workerData } from "node:worker_threads";
import { SandboxError } from "../../engine/errors.ts";
import { runTraining } from "../../experiments/runTraining.ts";
import type { Session } from "../../experiments/session.ts";
import { headName } from "../../lm/heads/shortForm.ts";
import type { RunCard } from "../../tui/train/port.ts";
import { startEngine } from "../command.ts";
import { openSession } from "../openSession.ts";
import { createGate } from "./gate.ts";
import type { FromTraining, ToTraining, TrainWork } from "./messages.ts";
import { createOutbox } from "./outbox.ts";

const gate = createGate();
const send = (message: FromTraining): void => parentPort!.postMessage(message);
const outbox = createOutbox((events) =>
  send({ type: "batch", batch: { events, memory: process.memoryUsage.rss() / 2 ** 20 } }),
);
const warn = (text: string): void => outbox.push({ type: "warning", step: 0, text });

parentPort!.on("message", (wish: ToTraining) => (wish === "ready" ? outbox.ready() : gate[wish]()));

function cardOf({ folder, config, dataset, model, progress }: Session, engine: string): RunCard {
  return {
    source: "training",
    run: folder,
    model: `${model.config.kind} ${headName(model.config.head)}`,
    parameters: model.parameterCount,
    corpus: dataset.corpus.name,
    tokenizer: dataset.tokenizer.kind,
    engine,
    steps: config.training.steps,
    from: progress.step,
  };
}

async function work({ job, engine, precision }: TrainWork): Promise<void> {
  const { description } = await startEngine(engine, precision, warn);
  const session = await openSession(job, description, warn);
  try {
    send({ type: "opened", card: cardOf(session, description) });
    const controls = { isSaveWanted: gate.isSaveWanted };
    for await (const event of runTraining(session, gate.signal, controls)) {
      outbox.push(event);
      const saved = event.type === "checkpoint";
      if (saved || event.type === "step") await gate.pass(saved);
    }
  } finally {
    session.close();
  }
}

try {
  await work(workerData as TrainWork);
} catch (error) {
  const { message, stack } = error as Error;
  const hint = error instanceof SandboxError ? error.hint : `This is a bug in softbox: ${stack}`;
  send({ type: "failed", message, hint });
}
