/**
 * @file Trials put on a queue, for workers on any machine. It asks Redis again and again how each trial stands, so that nothing
 * hangs on a message that an outage swallowed; what has vanished from Redis is put there again, as trials are idempotent.
 */
import { setTimeout } from "node:timers/promises";
import type { Job, Queue } from "bullmq";
import type { Redis } from "ioredis";
import { SandboxError } from "../../engine/errors.ts";
import { loadCorpus } from "../../text/corpus.ts";
import { isTrained, type TrialJob } from "../trials.ts";
import type { Workshop, WorkshopEvent } from "../workshop.ts";
import { softboxBuild } from "./build.ts";
import { connectRedis, loadLibrary, shownUrl } from "./redis.ts";
import {
  jobId,
  keyPrefix,
  otherBuilds,
  ownName,
  type QueuedTrial,
  queueName,
  Standing,
  studyIdOf,
  type TrialReturn,
} from "./trialQueue.ts";

export interface QueueOptions {
  readonly url: string;
  /** The folder of all trials, which the workers must see under this very name. */
  readonly study: string;
  /** Of the engine, for every trial. */
  readonly flags: readonly string[];
  /** Receives what the user should hear of, e.g. an outage of Redis. */
  readonly onLine: (line: string) => void;
}

/** Milliseconds: between two looks at least, and more for each open trial. */
const [lookEvery, lookPerTrial] = [300, 2];
/** Milliseconds for which Redis may be away, and for which a result may be on its way over shared storage. */
const [longestOutage, longestWay] = [60_000, 60_000];
/** Milliseconds without a worker after which that is told again. */
const lonelyEvery = 30_000;
/** Seconds that Redis keeps the end of a trial that nobody collects. */
const keptSeconds = 30 * 24 * 3600;

/** A sweep's side of the queue. `train` throws if Redis is away for longer than a minute; what was queued stays there then. */
export const createQueueWorkshop = (options: QueueOptions): Workshop => ({
  async *train(jobs, signal) {
    if (jobs.length === 0) return;
    const desk = await openDesk(options);
    try {
      await desk.put(jobs);
      yield* follow(jobs, desk, options, signal);
    } finally {
      await desk.close();
    }
  },
});

/** Makes sure that Redis is there. @throws {SandboxError} if it is not. */
export async function expectQueue({ url, onLine }: Pick<QueueOptions, "url" | "onLine">): Promise<void> {
  const redis = await connectRedis(url, { maxRetriesPerRequest: 0, onLine });
  redis.disconnect();
}

/** What is done at the queue; everything is tried again while Redis is away. */
interface Desk {
  put(jobs: readonly TrialJob[]): Promise<void>;
  look(job: TrialJob): Promise<Job<QueuedTrial> | undefined>;
  /** Whether it was there and could be taken away: what is at work cannot. */
  take(job: TrialJob): Promise<boolean>;
  tellIfLonely(): Promise<void>;
  close(): Promise<void>;
}

async function openDesk({ url, study, flags, onLine }: QueueOptions): Promise<Desk> {
  const { Queue } = await loadLibrary(() => import("bullmq"));
  const build = softboxBuild();
  const [studyId, connection] = [
    await studyIdOf(study),
    await connectRedis(url, { maxRetriesPerRequest: 1, commandTimeout: 10_000, onLine }),
  ];
  const queue = new Queue<QueuedTrial>(queueName(build), { connection, prefix: keyPrefix });
  queue.on("error", () => {}); // the connection tells it
  const sha256 = createCorpusHashes();
  const asker = `${ownName()} in ${process.cwd()}`;
  let [lonelyAt, toldAt] = [performance.now(), Number.NEGATIVE_INFINITY];
  return {
    put: async (jobs) => {
      const known = await patiently(url, () => Promise.all(jobs.map((job) => queue.getJob(jobId(studyId, job)))));
      // What had ended, but is not (or no more) on the disk, is asked for anew.
      for (const [i, job] of known.entries())
        if (job?.finishedOn && !isTrained(jobs[i]!)) await patiently(url, () => job.remove());
      const data = await Promise.all(
        jobs.map(async ({ trial: { name, config }, steps }): Promise<QueuedTrial> => {
          const corpus = await sha256(config.corpus);
          return { study, studyId, asker, name, steps, config, corpus, flags: [...flags] };
        }),
      );
      const kept = { age: keptSeconds };
      await patiently(url, () =>
        queue.addBulk(
          data.map((trial, i) => ({
            name: trial.name,
            data: trial,
            opts: { jobId: jobId(studyId, jobs[i]!), removeOnComplete: kept, removeOnFail: kept },
          })),
        ),
      );
    },
    look: (job) => patiently(url, () => queue.getJob(jobId(studyId, job))),
    take: (job) => patiently(url, () => takeAway(queue, jobId(studyId, job))),
    tellIfLonely: async () => {
      if ((await patiently(url, () => queue.getWorkersCount())) > 0) lonelyAt = performance.now();
      else if (performance.now() - lonelyAt > 2 * lookEvery && performance.now() - toldAt > lonelyEvery) {
        toldAt = performance.now();
        const others = await patiently(url, () => otherBuilds(connection, build));
        onLine(lonelyText(url, build, await patiently(url, () => buildsAtWork(connection, others))));
      }
    },
    close: async () => {
      await queue.close().catch(() => {});
      connection.disconnect();
    },
  };
}

/** The hash of each text once; it is read here, so that a missing one is told before anybody trains. */
function createCorpusHashes(): (corpus: string) => Promise<string> {
  const known = new Map<string, Promise<string>>();
  return (corpus) => {
    const hash = known.get(corpus) ?? loadCorpus(corpus, { lossy: false }).then(({ sha256 }) => sha256);
    known.set(corpus, hash);
    return hash;
  };
}

async function takeAway(queue: Queue, id: string): Promise<boolean> {
  const job = await queue.getJob(id);
  if (!job || (await job.isActive())) return false;
  return job.remove().then(
    () => true,
    () => false, // a worker was faster
  );
}

/** Which of these builds have workers there. */
async function buildsAtWork(connection: Redis, builds: readonly string[]): Promise<string[]> {
  const { Queue } = await import("bullmq");
  const counts = builds.map(async (build) => {
    const other = new Queue(queueName(build), { connection, prefix: keyPrefix });
    return (await other.getWorkersCount()) > 0 ? [build] : [];
  });
  return (await Promise.all(counts)).flat();
}

const lonelyText = (url: string, build: string, others: readonly string[]): string =>
  `queue ${shownUrl(url)}: no worker of softbox ${build} is there; start one or more: softbox worker --queue ${shownUrl(url)}${
    others.length > 0 ? ` (there are workers of ${others.join(", ")}: they take none of these trials)` : ""
  }`;

/** @throws {SandboxError} if it fails for a minute. */
async function patiently<T>(url: string, work: () => Promise<T>): Promise<T> {
  for (const begun = performance.now(); ; await setTimeout(500)) {
    try {
      return await work();
    } catch (error) {
      if (error instanceof SandboxError || error instanceof TypeError) throw error;
      if (performance.now() - begun < longestOutage) continue;
      throw new SandboxError(
        `queue ${shownUrl(url)}: lost for more than ${longestOutage / 1000} s (${(error as Error).message})`,
        "What is trained is kept, what was queued is still there or put there anew: the same command goes on.",
        { cause: error },
      );
    }
  }
}

/** What is known of a trial that has not ended. */
interface Open {
  readonly job: TrialJob;
  standing?: Standing | undefined;
  /** When its end was seen in Redis. */
  endedAt?: number;
}

async function* follow(
  jobs: readonly TrialJob[],
  desk: Desk,
  { onLine }: QueueOptions,
  signal?: AbortSignal,
): AsyncGenerator<WorkshopEvent> {
  const open = new Map(jobs.map((job): [string, Open] => [job.trial.name, { job }]));
  while (open.size > 0) {
    for (const one of open.values()) {
      if (signal?.aborted) return withdraw([...open.values()], desk, onLine);
      const events = await eventsOf(one, desk, onLine);
      yield* events;
      if (!events.some(({ type }) => type === "finished" || type === "failed")) continue;
      open.delete(one.job.trial.name);
      await desk.take(one.job);
    }
    await desk.tellIfLonely();
    await setTimeout(Math.max(lookEvery, lookPerTrial * open.size), undefined, signal ? { signal } : {}).catch(
      () => {},
    );
  }
}

/** What is new of a trial. */
async function eventsOf(one: Open, desk: Desk, onLine: (line: string) => void): Promise<WorkshopEvent[]> {
  const { name } = one.job.trial;
  const job = await desk.look(one.job);
  if (!job) {
    onLine(`${name}: has gone from Redis, put there again`);
    await desk.put([one.job]);
    return [];
  }
  if (!job.finishedOn) return progressOf(one, job);
  if (job.failedReason) return [{ type: "failed", name, reason: job.failedReason }];
  const { worker, trained } = job.returnvalue as TrialReturn;
  const begun: WorkshopEvent[] = trained && !one.standing?.begun ? [{ type: "started", name }] : [];
  if (isTrained(one.job)) return [...begun, { type: "finished", name }];
  one.endedAt ??= performance.now();
  if (performance.now() - one.endedAt < longestWay) return []; // shared storage may show it a little later
  const reason = `worker ${worker} says that it is trained, but ${one.job.trial.folder} does not show it here; is this folder shared?`;
  return [{ type: "failed", name, reason }];
}

function progressOf(one: Open, job: Job<QueuedTrial>): WorkshopEvent[] {
  const now = Standing.safeParse(job.progress).data;
  const [{ name }, before] = [one.job.trial, one.standing];
  if (now === undefined) return []; // nobody has taken it yet
  one.standing = now;
  const events: WorkshopEvent[] = [];
  if (before && before.worker !== now.worker)
    events.push({ type: "takenOver", name, from: before.worker, by: now.worker });
  if (now.begun && !before?.begun) events.push({ type: "started", name });
  if (now.step !== undefined && now.step !== before?.step)
    events.push({ type: "progress", name, step: now.step, loss: now.loss ?? Number.NaN });
  return events;
}

/** What nobody has taken goes from the queue; what is at work is left to its worker, and its result to the next call. */
async function withdraw(open: readonly Open[], desk: Desk, onLine: (line: string) => void): Promise<void> {
  const taken = await Promise.all(open.map(({ job }) => desk.take(job)));
  const count = taken.filter(Boolean).length;
  onLine(
    `${count} trials withdrawn from the queue${count < open.length ? `; workers go on with the ${open.length - count} at work` : ""}`,
  );
}
