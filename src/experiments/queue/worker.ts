/**
 * @file Takes trials from a queue and trains them. A worker that dies leaves a lease that runs out, and another goes on with the
 * trial; one that cannot renew its lease stops by itself, so that a run never has two masters.
 */
import { hostname } from "node:os";
import { join, resolve } from "node:path";
import type { Job, Worker } from "bullmq";
import { SandboxError } from "../../engine/errors.ts";
import { loadCorpus } from "../../text/corpus.ts";
import { parseRunConfig } from "../config.ts";
import type { LockOwner } from "../lock.ts";
import { trainTrial } from "../trainTrial.ts";
import type { TrialJob } from "../trials.ts";
import type { WorkshopEvent } from "../workshop.ts";
import { softboxBuild } from "./build.ts";
import { createLeases, type Leases } from "./leases.ts";
import { connectRedis, loadLibrary, shownUrl } from "./redis.ts";
import {
  keyPrefix,
  otherBuilds,
  ownName,
  QueuedTrial,
  queueName,
  Standing,
  seenStudyId,
  type TrialReturn,
} from "./trialQueue.ts";

export interface WorkerOptions {
  readonly url: string;
  /** Trials at once. */
  readonly parallel: number;
  /** Added to the engine's flags that a trial brings, where it brings none of that name. */
  readonly flags: readonly string[];
  /** Seconds without a trial after which it ends; none: it waits for ever. */
  readonly idleSeconds?: number;
  /** What happens to trials, by name. */
  readonly onEvent: (event: WorkshopEvent) => void;
  readonly onLine: (line: string) => void;
}

/** Milliseconds that a dead worker's trial stays its own; and between two looks for such. */
const [leaseMilliseconds, lookEvery] = [6000, 2000];
/** How often a trial may lose its worker. */
const mostTakeovers = 20;
/** Milliseconds after which a goodbye to Redis is given up. */
const longestGoodbye = 3000;

/**
 * Works until `signal` aborts, which hands trials at work back after saving, or nothing came for `idleSeconds`.
 *
 * @throws {SandboxError} if Redis is not there, or a trial's folder or text cannot be seen from here: then it is left to others.
 */
export async function workOnQueue(options: WorkerOptions, signal: AbortSignal): Promise<void> {
  const { url, parallel, onLine } = options;
  const { Worker } = await loadLibrary(() => import("bullmq"));
  const build = softboxBuild();
  const connection = await connectRedis(url, { maxRetriesPerRequest: null, onLine });
  const fate = createFate(signal);
  const leases = createLeases(leaseMilliseconds);
  const tools: Tools = { options, build, fate, leases };
  const worker: Worker<QueuedTrial, TrialReturn> = new Worker<QueuedTrial, TrialReturn>(
    queueName(build),
    (job, token) => takeTrial(job, token!, tools),
    {
      ...{ connection, prefix: keyPrefix, name: ownName(), concurrency: parallel },
      ...{ lockDuration: leaseMilliseconds, stalledInterval: lookEvery, maxStalledCount: mostTakeovers },
      ...{ drainDelay: 2, runRetryDelay: 1000 },
    },
  );
  worker.on("error", () => {}); // the connection tells outages, leases what follows from them
  worker.on("lockRenewalFailed", leases.lose);
  worker.on("locksRenewed", ({ jobIds }) => leases.renew(jobIds));
  const idle = options.idleSeconds === undefined ? undefined : watchIdle(leases, options.idleSeconds, fate.stop);
  onLine(`worker ${ownName()}, softbox ${build}, at ${shownUrl(url)}: takes ${parallel} at a time`);
  await tellOthers(build, connection, onLine);
  await fate.over;
  clearInterval(idle);
  const goodbye = worker.close(); // trials at work are handed back by now, or soon
  await leases.allEnded();
  await Promise.race([goodbye, new Promise((end) => setTimeout(end, longestGoodbye).unref())]);
  leases.close();
  connection.disconnect();
  fate.throwIfFailed();
}

/** Why and when a worker ends. */
interface Fate {
  /** Aborts when trials at work should be saved and handed back. */
  readonly signal: AbortSignal;
  readonly over: Promise<void>;
  readonly stop: () => void;
  fail(error: unknown): void;
  throwIfFailed(): void;
}

function createFate(outer: AbortSignal): Fate {
  const inner = new AbortController();
  const signal = AbortSignal.any([outer, inner.signal]);
  let failure: unknown;
  const over = new Promise<void>((end) => {
    if (signal.aborted) end();
    else signal.addEventListener("abort", () => end());
  });
  return {
    signal,
    over,
    stop: () => inner.abort(),
    fail: (error) => {
      failure ??= error;
      inner.abort();
    },
    throwIfFailed: () => {
      if (failure !== undefined) throw failure;
    },
  };
}

interface Tools {
  readonly options: WorkerOptions;
  readonly build: string;
  readonly fate: Fate;
  readonly leases: Leases;
}

/** One trial, to its end, to a stop, or to the loss of its lease. */
async function takeTrial(job: Job<QueuedTrial, TrialReturn>, token: string, tools: Tools): Promise<TrialReturn> {
  const { UnrecoverableError, WaitingError } = await import("bullmq");
  const { options, fate, leases } = tools;
  const lease = leases.begin(job.id!, fate.signal);
  try {
    const asked = await seen(job, tools);
    const end = asked && (await train(job, asked, options, lease.signal));
    if (end?.type === "finished") return { worker: ownName(), trained: end.trained };
    if (end?.type === "failed") throw new UnrecoverableError(end.reason);
    if (lease.isLost()) throw new Error("the lease is lost: another worker goes on");
    await job.moveToWait(token);
    throw new WaitingError();
  } catch (error) {
    if (!(error instanceof SandboxError)) throw error;
    throw new UnrecoverableError(error.hint ? `${error.message}\n${error.hint}` : error.message);
  } finally {
    lease.end();
  }
}

/** The trial, if this worker sees what it needs; else the worker ends, and others take the trial. */
async function seen(job: Job<QueuedTrial>, { build, fate }: Tools): Promise<TrialJob | undefined> {
  const { study, studyId, asker, name, steps, config, corpus } = QueuedTrial.parse(job.data);
  try {
    if (seenStudyId(study) !== studyId)
      throw new SandboxError(
        `worker: trial ${name} is kept in ${study}, asked for by ${asker}, but ${resolve(study)} is not that folder`,
        "Start workers in the same shared folder as the sweep, or give the sweep's --out a path that is the same everywhere.",
      );
    const parsed = parseRunConfig(`trial ${name}`, config);
    await expectText(name, parsed.corpus, corpus);
    if (softboxBuild() !== build)
      throw new SandboxError("worker: softbox has been built anew since this worker began", "Start it again.");
    return { trial: { name, folder: join(study, name), config: parsed }, steps };
  } catch (error) {
    fate.fail(error);
    return undefined;
  }
}

const textHint = "Start workers where the sweep's text is to be seen under the same path.";

async function expectText(name: string, corpus: string, sha256: string): Promise<void> {
  const { sha256: here } = await loadCorpus(corpus, { lossy: false }).catch((error: unknown) => {
    if (!(error instanceof SandboxError)) throw error;
    throw new SandboxError(`worker: trial ${name}: ${error.message}`, textHint, { cause: error });
  });
  if (here === sha256) return;
  throw new SandboxError(
    `worker: trial ${name} trains on ${corpus}, which is another text here (SHA-256 ${here.slice(0, 8)}… in place of ${sha256.slice(0, 8)}…)`,
    textHint,
  );
}

type End = { type: "finished"; trained: boolean } | { type: "failed"; reason: string } | { type: "stopped" };

async function train(
  job: Job<QueuedTrial>,
  asked: TrialJob,
  { flags, onEvent }: WorkerOptions,
  signal: AbortSignal,
): Promise<End> {
  const before = Standing.safeParse(job.progress).data;
  const self = { worker: ownName(), host: hostname() };
  const tell = createTeller(job, { ...self, begun: false });
  await tell.now({});
  let end: End = { type: "stopped" };
  let trained = false;
  const onTrial = (event: WorkshopEvent): void => {
    onEvent(event);
    if (event.type === "started") trained = true;
    if (event.type === "progress")
      tell.soon({ step: event.step, loss: Number.isFinite(event.loss) ? event.loss : null });
    if (event.type === "finished") end = { type: "finished", trained };
    if (event.type === "failed") end = { type: "failed", reason: event.reason };
  };
  const trialFlags = [...job.data.flags, ...flagsNotIn(job.data.flags, flags)];
  const own = {
    study: job.data.study,
    flags: trialFlags,
    onProcess: (pid: number) => void tell.now({ pid, begun: true }),
    hasEnded: (owner: LockOwner) => hasEnded(owner, before),
  };
  await trainTrial(asked, own, onTrial, signal);
  await tell.settled();
  return end;
}

/** The lock of a worker whose lease has run out, on a machine that cannot be asked. On this one the process itself can. */
const hasEnded = ({ host, pid }: LockOwner, before: Standing | undefined): boolean =>
  before !== undefined && host !== hostname() && host === before.host && (before.pid ?? pid) === pid;

/** Of `flags`, which are names and values by turns, those whose names are not given already. */
const flagsNotIn = (given: readonly string[], flags: readonly string[]): string[] =>
  flags.filter((_, i) => !given.includes(flags[i - (i % 2)]!));

/** Milliseconds between two reports of progress. */
const reportEvery = 500;

/** Tells Redis how a trial stands, one report at a time, the newest only; what an outage swallows is not missed. */
function createTeller(job: Job<QueuedTrial>, first: Standing) {
  let standing = first;
  let under: Promise<void> | undefined;
  let reportedAt = 0;
  const now = async (change: Partial<Standing>): Promise<void> => {
    standing = { ...standing, ...change };
    await under;
    reportedAt = performance.now();
    under = job.updateProgress(standing).catch(() => {});
    await under;
    under = undefined;
  };
  return {
    now,
    soon: (change: Partial<Standing>): void => {
      standing = { ...standing, ...change };
      if (under === undefined && performance.now() - reportedAt > reportEvery) void now({});
    },
    settled: async () => under,
  };
}

const watchIdle = (leases: Leases, seconds: number, stop: () => void): NodeJS.Timeout =>
  setInterval(() => {
    if (leases.idleMilliseconds() > 1000 * seconds) stop();
  }, 100);

/** Tells of trials that wait for workers of another softbox, which would else look like an empty queue. */
async function tellOthers(
  build: string,
  connection: Awaited<ReturnType<typeof connectRedis>>,
  onLine: (line: string) => void,
): Promise<void> {
  const { Queue } = await import("bullmq");
  for (const other of await otherBuilds(connection, build)) {
    const count = await new Queue(queueName(other), { connection, prefix: keyPrefix }).getWaitingCount();
    if (count > 0) onLine(`${count} trials wait for workers of softbox ${other}: this one is ${build} and leaves them`);
  }
}
