/** @file How trials go, told on the terminal: a live line on a TTY, a line a finished trial on stderr. */
import { hasOutcome, readOutcome } from "../experiments/outcome.ts";
import type { TrialJob } from "../experiments/trials.ts";
import type { Workshop, WorkshopEvent } from "../experiments/workshop.ts";
import { endLive, formatSeconds, isLive, note, showLive } from "./output.ts";
import { stopOnSignals } from "./stopOnSignals.ts";

/** How trials ended, by name. */
export interface TrialsEnd {
  /** Why, of those that could not be trained. */
  readonly failed: ReadonlyMap<string, string>;
  readonly stopped: boolean;
}

/** Trains all jobs and tells how it goes. */
export async function trainTrials(workshop: Workshop, jobs: readonly TrialJob[], quiet: boolean): Promise<TrialsEnd> {
  const { signal, release } = stopOnSignals("stopping after the steps at hand, saving");
  const teller = createTrialTeller(quiet);
  const failed = new Map<string, string>();
  teller.begin(jobs, jobs.length);
  try {
    for await (const event of workshop.train(jobs, signal)) {
      if (event.type === "failed") failed.set(event.name, event.reason);
      teller.tell(event);
    }
    return { failed, stopped: signal.aborted };
  } finally {
    release();
    teller.end();
  }
}

/** Tells what a workshop does. */
export interface TrialTeller {
  /** So many trials come now, out of these. */
  begin(jobs: readonly TrialJob[], count: number): void;
  tell(event: WorkshopEvent): void;
  end(): void;
}

/** @param quiet - nothing is told but what somebody waits for. */
export function createTrialTeller(quiet: boolean): TrialTeller {
  let [ended, all] = [0, 0];
  let byName: ReadonlyMap<string, TrialJob> = new Map();
  const begun = new Set<string>();
  const atWork = new Map<string, number>();
  const tellEnd = (event: EndEvent): void => {
    atWork.delete(event.name);
    if (event.type !== "stopped") ended++;
    if (!quiet) note(endLine(event, byName.get(event.name)!, `${ended} of ${all}`, begun.has(event.name)));
  };
  return {
    begin: (jobs, count) => {
      [ended, all] = [0, count];
      byName = new Map(jobs.map((job) => [job.trial.name, job]));
      begun.clear();
    },
    tell: (event) => {
      if (event.type === "started") begun.add(event.name);
      else if (event.type === "waiting") note(`${event.name}: another process trains it, waiting for it to end`);
      else if (event.type === "takenOver")
        note(`${event.name}: worker ${event.from} left it, ${event.by} goes on with it`);
      else if (event.type === "progress") atWork.set(event.name, event.step);
      else tellEnd(event);
      if (event.type === "progress" && isLive() && !quiet) showLive(liveText(atWork, byName, `${ended} of ${all}`));
    },
    end: endLive,
  };
}

type EndEvent = Extract<WorkshopEvent, { readonly type: "finished" | "failed" | "stopped" }>;

const liveText = (atWork: ReadonlyMap<string, number>, jobs: ReadonlyMap<string, TrialJob>, place: string): string =>
  `${place} done · ${[...atWork].map(([name, step]) => `${name} ${step}/${jobs.get(name)!.steps}`).join(" · ")}`;

function endLine(event: EndEvent, { trial, steps }: TrialJob, place: string, trained: boolean): string {
  if (event.type === "failed") return `${event.name}: failed (${place}): ${event.reason}`;
  if (event.type === "stopped") return `${event.name}: stopped, saved`;
  if (!hasOutcome(trial.folder)) return `${event.name}: done (${place})`;
  const { nats, seconds } = readOutcome(trial.folder);
  const how = trained ? `${steps} steps in ${formatSeconds(seconds)}` : "was trained already";
  return `${event.name}: ${nats.toFixed(4)} nats per token, ${how} (${place})`;
}
