/**
 * @file A file from the network. What has come is kept: the next attempt, or the next run, goes on behind it. Under its name the
 * file appears only once its size and its SHA-256 hold.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, mkdir, open, rename, rm, stat, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { SandboxError } from "../../engine/errors.ts";
import { explainFailure } from "../../engine/files.ts";
import type { Progress } from "./progress.ts";

/** What an index says of a file. */
export interface RemoteFile {
  readonly name: string;
  /** Without user or password. */
  readonly url: string;
  /** In hexadecimal; some indexes give none. */
  readonly sha256?: string;
  /** Bytes. */
  readonly size?: number;
  /** Headers that the server wants, such as a password. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Without a byte for so long, a connection is given up. */
const patienceMilliseconds = 60_000;
/** Attempts in a row that bring nothing before it is an error. */
const attempts = 3;
const pauseMilliseconds = 500;

/**
 * @param folder - made where it is missing.
 * @returns the path of the whole file.
 * @throws {SandboxError} if it cannot be had, is not what the index promised, or the disk is full.
 */
export async function download(file: RemoteFile, folder: string, progress: Progress): Promise<string> {
  const path = join(folder, file.name);
  const partial = `${path}.partial`;
  await mkdir(folder, { recursive: true });
  if ((await sizeOf(path)) > 0) await rename(path, partial); // of an earlier run: looked at like any other
  try {
    await fetchWhole(file, partial, progress);
    await expectHash(file, partial);
    await rename(partial, path);
  } catch (error) {
    throw explainFailure(partial, error);
  }
  return path;
}

/** Bytes of a file; 0 where there is none. */
const sizeOf = async (path: string): Promise<number> => (await stat(path).catch(() => undefined))?.size ?? 0;

/** @throws {SandboxError} where a folder's disk has less room than `bytes`. */
export async function expectRoom(folder: string, bytes: number, what: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize >= bytes) return;
  throw new SandboxError(
    `${folder}: ${what} needs ${megabytes(bytes)}, and ${megabytes(bavail * bsize)} are free`,
    "Free some space, or name another folder by SOFTBOX_CACHE; then run the command again.",
  );
}

export const megabytes = (bytes: number): string => `${Math.ceil(bytes / 1e6).toLocaleString("en-US")} MB`;

/** Fetches piece after piece; a few attempts in a row that bring nothing are an error. */
async function fetchWhole(file: RemoteFile, partial: string, progress: Progress): Promise<void> {
  const size = file.size ?? Number.POSITIVE_INFINITY;
  if ((await sizeOf(partial)) > size) await rm(partial);
  let have = await sizeOf(partial);
  for (let idle = 0; have < size; ) {
    const failure = await fetchRest(file, partial, have, progress).catch((error: Error) => error);
    if (!failure && file.size === undefined) return; // the server's end is the end, where nobody knows another
    const now = await sizeOf(partial);
    idle = now > have ? 0 : idle + 1;
    have = now;
    if (idle >= attempts || isFinal(failure)) throw unreachable(file.url, failure ?? new Error("it ends early"));
    if (have < size) await sleep(pauseMilliseconds * (idle + 1));
  }
}

/** What another attempt does not mend: the server's refusal, a full disk. */
const isFinal = (error: unknown): boolean =>
  error instanceof SandboxError || (error !== undefined && isDiskError(error));

const isDiskError = (error: unknown): boolean =>
  explainFailure("", error) !== error || (error as NodeJS.ErrnoException).syscall === "write";

/** An error for the user of a server that cannot be asked; what is one already stays. */
export function unreachable(url: string, error: unknown): unknown {
  if (error instanceof SandboxError || isDiskError(error)) return error;
  const { message, cause } = error as Error;
  const reason = (cause as Error | undefined)?.message || (cause as { code?: string } | undefined)?.code || message;
  return new SandboxError(
    `${url}: cannot be read: ${reason}`,
    "Is there a network? What has come is kept, and the next run goes on from there. Another index: --index <url>; a wheel that " +
      "was fetched elsewhere: --from <wheel>. A certificate of your own: NODE_EXTRA_CA_CERTS=<file>.",
    { cause: error },
  );
}

/** Appends what is missing from byte `have` on; begins anew where the server cannot. */
async function fetchRest(file: RemoteFile, partial: string, have: number, progress: Progress): Promise<void> {
  if (file.size !== undefined) await expectRoom(dirname(partial), file.size - have, file.name);
  const stalled = new AbortController();
  let watch: NodeJS.Timeout | undefined;
  const wait = (): void => {
    clearTimeout(watch);
    const reason = new Error(`nothing came for ${patienceMilliseconds / 1000} s`);
    watch = setTimeout(() => stalled.abort(reason), patienceMilliseconds);
  };
  try {
    wait();
    const range = have > 0 ? { range: `bytes=${have}-` } : {};
    const headers = { ...file.headers, ...range, "accept-encoding": "identity" };
    const response = await fetch(file.url, { headers, signal: stalled.signal });
    if (response.status === 416) return rm(partial); // shorter there than what is here
    if (!response.ok || !response.body) throw refusal(file.url, response);
    const appends = response.status === 206;
    const handle = await open(partial, appends ? "a" : "w");
    await writeAll(response.body, handle, file, { start: appends ? have : 0, progress, onChunk: wait });
  } finally {
    clearTimeout(watch);
  }
}

export function refusal(url: string, response: Response): SandboxError {
  return new SandboxError(
    `${url}: the server answers ${response.status} ${response.statusText}`.trim(),
    "Name another index by --index <url>, or a wheel that was fetched elsewhere by --from <wheel>.",
  );
}

interface Writing {
  readonly start: number;
  readonly progress: Progress;
  readonly onChunk: () => void;
}

async function writeAll(
  body: AsyncIterable<Uint8Array>,
  handle: FileHandle,
  { name, size }: RemoteFile,
  { start, progress, onChunk }: Writing,
): Promise<void> {
  try {
    let have = start;
    for await (const chunk of body) {
      onChunk();
      await handle.writeFile(chunk);
      have += chunk.length;
      progress.part(`downloading ${name}`, have, size);
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** A wrong file does not stay, or every later run would find it again. */
async function expectHash({ name, sha256 }: RemoteFile, path: string): Promise<void> {
  if (!sha256) return;
  const found = await hashOf(path);
  if (found === sha256) return;
  await rm(path);
  throw new SandboxError(
    `${name}: its SHA-256 must be ${sha256}, got ${found}; the file was removed`,
    "It was damaged on its way, or is not what the index promises. Run the command again: it is fetched anew.",
  );
}

/** SHA-256 of a file, in hexadecimal. */
export async function hashOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 })) hash.update(chunk as Buffer);
  return hash.digest("hex");
}
