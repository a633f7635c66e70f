/** @file What waits in Redis: trials as BullMQ jobs, one queue a build of softbox, so that no other program takes them. */
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import type { Redis } from "ioredis";
import { z } from "zod";
import { readRunFile, writeRunFile } from "../runFolder.ts";
import type { TrialJob } from "../trials.ts";

/** What all keys in Redis begin with. */
export const keyPrefix = "softbox";
/** The set of builds that ever used this Redis. */
const buildsKey = `${keyPrefix}:builds`;

export const queueName = (build: string): string => `trials-${build}`;

/** A trial on its way to a worker. */
export const QueuedTrial = z.strictObject({
  study: z.string().describe("the folder of the sweep as its own process names it"),
  studyId: z.string().describe("what stands in that folder's queue.json: whoever sees another sees another folder"),
  asker: z.string().describe("who asks, for people to read"),
  name: z.string(),
  steps: z.int(),
  config: z.looseObject({}),
  corpus: z.string().describe("SHA-256 of the text"),
  flags: z.array(z.string()).describe("of the engine"),
});
export type QueuedTrial = z.infer<typeof QueuedTrial>;

/** Where a trial stands, as its worker tells. */
export const Standing = z.strictObject({
  worker: z.string(),
  host: z.string(),
  pid: z.int().optional().describe("of the process that trains; absent before there is one"),
  begun: z.boolean().describe("whether it trains, or waits for another process"),
  step: z.int().optional(),
  loss: z.number().nullable().optional(),
});
export type Standing = z.infer<typeof Standing>;

/** What a worker hands back of a trial that is done; the results themselves are in the run's folder. */
export interface TrialReturn {
  readonly worker: string;
  /** False where it had been trained before. */
  readonly trained: boolean;
}

/** A process, for people to read. */
export const ownName = (): string => `${hostname()}:${process.pid}`;

/** The same trial up to the same step has the same id, whoever puts it there and however often. */
export const jobId = (studyId: string, { trial, steps }: TrialJob): string => `${studyId}.${steps}.${trial.name}`;

const idFile = "queue.json";

/** What names the folder of a sweep over machines; made at the first call. */
export async function studyIdOf(study: string): Promise<string> {
  if (!existsSync(join(study, idFile))) await writeRunFile(study, idFile, { id: randomUUID() });
  return (readRunFile(study, idFile) as { readonly id: string }).id;
}

/** The same, of a folder that may not be there. */
export const seenStudyId = (study: string): string | undefined =>
  existsSync(join(study, idFile)) ? (readRunFile(study, idFile) as { readonly id?: string }).id : undefined;

/** Notes that this build uses the queue; returns the others that did. */
export async function otherBuilds(redis: Redis, build: string): Promise<string[]> {
  await redis.sadd(buildsKey, build);
  return (await redis.smembers(buildsKey)).filter((other) => other !== build);
}
