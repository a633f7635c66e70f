/** @file A connection to Redis: its address, what can go wrong in words, outages told once. Loads ioredis when it is asked for. */
import type { Redis } from "ioredis";
import { SandboxError } from "../../engine/errors.ts";

/** Milliseconds that Redis may take to answer. */
const patience = 5000;

/** Checks the address of a queue. @throws {SandboxError} if it is none. */
export function expectQueueUrl(text: string): void {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const good =
    url && /^rediss?:$/.test(url.protocol) && url.hostname !== "" && /^\/?\d*$/.test(url.pathname) && url.search === "";
  if (good) return;
  throw new SandboxError(
    `--queue: expected redis://host:port, got ${JSON.stringify(text)}`,
    "For example redis://127.0.0.1:6379, redis://:password@host:6379/2 for its database 2, or rediss:// for TLS.",
  );
}

/** The address without its password, for people to read. */
export function shownUrl(text: string): string {
  const url = new URL(text);
  if (url.password) url.password = "…";
  return decodeURIComponent(url.href);
}

export interface ConnectOptions {
  /** How often a command is sent again in an outage; `null`: until it is over. */
  readonly maxRetriesPerRequest: number | null;
  /** Milliseconds after which an unanswered command fails; none where it may wait. */
  readonly commandTimeout?: number;
  /** Told when the connection is lost, and when it is there again. */
  readonly onLine: (line: string) => void;
}

/**
 * Connects; from then on an outage is told and waited for. The caller owns the connection.
 *
 * @throws {SandboxError} if nothing answers there, or what does is no Redis or lets us not in.
 */
export async function connectRedis(url: string, { onLine, ...options }: ConnectOptions): Promise<Redis> {
  const { Redis } = await loadLibrary(() => import("ioredis"));
  let isOpen = false;
  const redis = new Redis(url, {
    ...options,
    lazyConnect: true,
    connectTimeout: patience,
    retryStrategy: (times) => (isOpen ? Math.min(100 * times, 2000) : null),
  });
  let failure: Error | undefined;
  redis.on("error", (error) => {
    failure = error;
  });
  try {
    await inTime(redis.connect().then(() => redis.ping()));
  } catch (error) {
    redis.disconnect();
    throw unreachable(url, failure ?? (error as Error));
  }
  isOpen = true;
  tellOutages(redis, url, onLine);
  return redis;
}

function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${patience / 1000} s`)), patience);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

function tellOutages(redis: Redis, url: string, onLine: (line: string) => void): void {
  let lost = false;
  redis.on("close", () => {
    if (!lost && redis.status !== "end") onLine(`queue ${shownUrl(url)}: the connection is lost, trying again`);
    lost = true;
  });
  redis.on("ready", () => {
    if (lost) onLine(`queue ${shownUrl(url)}: connected again`);
    lost = false;
  });
}

const hints: readonly (readonly [RegExp, string])[] = [
  [/ECONNREFUSED|ENOENT/, "Start Redis there (redis-server), or correct the address."],
  [/ENOTFOUND|EAI_AGAIN/, "Correct the host's name."],
  [/NOAUTH|WRONGPASS|AUTH/, "Give user and password: redis://user:password@host:6379."],
  [/DB index/, "Choose another database, such as redis://host:6379/0."],
  [
    /Protocol error|no answer|ETIMEDOUT|closed|ECONNRESET/,
    "Something else than Redis, TLS (rediss://) or a firewall may be there.",
  ],
];

function unreachable(url: string, cause: Error): SandboxError {
  const facts = cause.message || (cause as NodeJS.ErrnoException).code || cause.name;
  const hint = hints.find(([pattern]) => pattern.test(facts))?.[1] ?? "Look at Redis's log.";
  return new SandboxError(`queue ${shownUrl(url)}: cannot be reached (${facts})`, hint, { cause });
}

/** Imports an optional package. @throws {SandboxError} if it is not installed. */
export async function loadLibrary<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw error;
    throw new SandboxError(
      "--queue: the packages bullmq and ioredis are not installed",
      "They are optional dependencies of softbox: npm install --include=optional.",
      { cause: error },
    );
  }
}
