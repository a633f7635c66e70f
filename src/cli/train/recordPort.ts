/** @file The training screen's port over a run's folder: a finished run again, or one that another process trains. */
import type { RunEvent } from "../../experiments/events.ts";
import { isRunBusy } from "../../experiments/lock.ts";
import { openRecording } from "../../experiments/recording.ts";
import { readRunConfig, readRunFile } from "../../experiments/runFolder.ts";
import { headName } from "../../lm/heads/shortForm.ts";
import type { Batch, RunCard, TrainListener, TrainPort } from "../../tui/train/port.ts";
import type { RecordKind } from "./record.ts";

/** Batches that a replay takes: about twelve seconds. */
const replayBatches = 48;
/** Milliseconds between two looks into a folder that another process writes. */
const lookEvery = 1000;
/** Events that a replay keeps; of longer runs every second step is left out until they fit. */
const mostEvents = 20_000;

/** What a run's files say of it. */
export function recordCard(folder: string, source: RunCard["source"]): RunCard {
  const config = readRunConfig(folder);
  const environment = readRunFile(folder, "environment.json") as { engine?: string; corpus?: { name?: string } };
  return {
    source,
    run: folder,
    model: `${config.model.kind} ${headName(config.model.head)}`,
    corpus: environment.corpus?.name ?? config.corpus,
    tokenizer: config.tokenizer,
    engine: environment.engine ?? "unknown engine",
    steps: config.training.steps,
    from: 0,
  };
}

/** A port that only reads. */
export const createRecordPort = (folder: string, kind: RecordKind): TrainPort =>
  kind === "replay" ? createReplay(folder) : createWatch(folder);

function createReplay(folder: string): TrainPort {
  let listener: TrainListener | undefined;
  let waiting: readonly RunEvent[] = [];
  let share = 1;
  let [paused, wanted, told] = [false, false, false];
  const send = (count: number): void => {
    if (told || listener === undefined) return;
    const events: RunEvent[] = waiting.slice(0, count);
    waiting = waiting.slice(count);
    told = waiting.length === 0;
    if (told) events.push({ type: "done", step: events.at(-1)?.step ?? 0, reason: "finished" });
    listener.batch({ events });
  };
  const next = (): void => {
    if (paused || !wanted) return;
    wanted = false;
    send(share);
  };
  return {
    ...readOnly,
    open: async (given) => {
      listener = given;
      waiting = thin(openRecording(folder).read());
      share = Math.ceil(waiting.length / replayBatches);
      return recordCard(folder, "replay");
    },
    ready: () => {
      wanted = true;
      next();
    },
    pause: () => {
      paused = true;
    },
    resume: () => {
      paused = false;
      next();
    },
    skip: () => send(waiting.length),
  };
}

/** Reads what the other process has written so far, then what it adds, until it lets go of the run. */
function createWatch(folder: string): TrainPort {
  const recording = openRecording(folder);
  let listener: TrainListener | undefined;
  let timer: NodeJS.Timeout | undefined;
  let step = 0;
  let paused = false;
  let steps = 0;
  const look = (): void => {
    const busy = isRunBusy(folder); // asked first: what is written before it ends is read below
    const events = thin(recording.read());
    step = events.at(-1)?.step ?? step;
    if (!busy) events.push({ type: "done", step, reason: step >= steps ? "finished" : "stopped" });
    if (events.length > 0) listener?.batch({ events } satisfies Batch);
    else wait();
  };
  const wait = (): void => {
    clearTimeout(timer);
    timer = setTimeout(attempt, lookEvery);
  };
  const attempt = (): void => {
    if (paused) return;
    try {
      look();
    } catch (error) {
      listener?.failed(error);
    }
  };
  return {
    ...readOnly,
    open: async (given) => {
      listener = given;
      const card = recordCard(folder, "watching");
      steps = card.steps;
      return card;
    },
    ready: () => (step === 0 ? attempt() : wait()),
    pause: () => {
      paused = true;
    },
    resume: () => {
      paused = false;
      attempt();
    },
    close: async () => clearTimeout(timer),
  };
}

const nothing = (): void => {};
const readOnly = {
  pause: nothing,
  resume: nothing,
  save: nothing,
  stop: nothing,
  skip: nothing,
  close: async () => {},
};

/** A record that fits a screen's memory. */
function thin(events: readonly RunEvent[]): RunEvent[] {
  let kept = [...events];
  while (kept.length > mostEvents) {
    let place = 0;
    const before = kept.length;
    kept = kept.filter((event) => event.type !== "step" || place++ % 2 === 1);
    if (kept.length === before) break;
  }
  return kept;
}
