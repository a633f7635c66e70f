/** @file How trials go, told on the terminal: a live line on a TTY, a line a finished trial on stderr. */
import { hasOutcome, readOutcome } from "../experiments/outcome.ts";
import type { TrialJob } from "../experiments/trials.ts";
import type { Workshop, WorkshopEvent } from "../experiments/workshop.ts";
import { endLive, formatDuration, isLive, note, showLive } from "./output.ts";

/** How trials ended, by name. */
export interface TrialsEnd {
  /** Why, of those that could not be trained. */
  readonly failed: ReadonlyMap<string, string>;
  readonly stopped: boolean;
}

/** Trains all jobs and tells how it goes; the first Ctrl-C or SIGTERM stops them, saved, a second one at once. */
export async function trainTrials(workshop: Workshop, jobs: readonly TrialJob[], quiet: boolean): Promise<TrialsEnd> {
  const stop = new AbortController();
  const onSignal = (): void => {
    if (stop.signal.aborted) process.exit(130);
    note("stopping after the steps at hand, saving (again to stop at once)");
    stop.abort();
  };
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  try {
    return await follow(workshop, jobs, stop.signal, quiet);
  } finally {
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
    endLive();
  }
}

async function follow(
  workshop: Workshop,
  jobs: readonly TrialJob[],
  signal: AbortSignal,
  quiet: boolean,
): Promise<TrialsEnd> {
  const byName = new Map(jobs.map((job) => [job.trial.name, job]));
  const failed = new Map<string, string>();
  const begun = new Set<string>();
  const atWork = new Map<string, number>();
  let ended = 0;
  const end = (event: EndEvent): void => {
    atWork.delete(event.name);
    if (event.type === "failed") failed.set(event.name, event.reason);
    if (event.type !== "stopped") ended++;
    if (!quiet) note(endLine(event, byName.get(event.name)!, `${ended} of ${jobs.length}`, begun.has(event.name)));
  };
  const tell = (event: WorkshopEvent): void => {
    if (event.type === "started") begun.add(event.name);
    else if (event.type === "waiting") note(`${event.name}: another process trains it, waiting for it to end`);
    else if (event.type === "progress") atWork.set(event.name, event.step);
    else end(event);
    if (event.type === "progress" && isLive() && !quiet) showLive(liveText(atWork, byName, ended));
  };
  for await (const event of workshop.train(jobs, signal)) tell(event);
  return { failed, stopped: signal.aborted };
}

type EndEvent = Extract<WorkshopEvent, { readonly type: "finished" | "failed" | "stopped" }>;

const liveText = (atWork: ReadonlyMap<string, number>, jobs: ReadonlyMap<string, TrialJob>, ended: number): string =>
  `${ended} of ${jobs.size} done · ${[...atWork].map(([name, step]) => `${name} ${step}/${jobs.get(name)!.steps}`).join(" · ")}`;

function endLine(event: EndEvent, { trial, steps }: TrialJob, place: string, trained: boolean): string {
  if (event.type === "failed") return `${event.name}: failed (${place}): ${event.reason}`;
  if (event.type === "stopped") return `${event.name}: stopped, saved`;
  if (!hasOutcome(trial.folder)) return `${event.name}: done (${place})`;
  const { nats, seconds } = readOutcome(trial.folder);
  const how = trained ? `${steps} steps in ${formatDuration(seconds)}` : "was trained already";
  return `${event.name}: ${nats.toFixed(4)} nats per token, ${how} (${place})`;
}
