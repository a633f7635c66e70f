/**
 * @file Files that survive a crash: written aside in the same folder, flushed to disk, renamed, the folder flushed.
 * Whoever reads sees the old content or the new, never a half.
 */
import { accessSync, constants, existsSync, mkdirSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { SandboxError } from "./errors.ts";

/** Flushes a folder's entries to disk, so that a rename in it survives a power cut. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return; // folders cannot be opened there
  const handle = await open(folder, "r");
  await handle.sync().finally(() => handle.close());
}

/** Bytes of a file to be, in order; a chunk is valid until the next is asked for. */
export type Chunks = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** Writes a new file chunk by chunk and flushes it; `path` must not be read by anyone yet. */
export async function writeSynced(path: string, chunks: Chunks): Promise<void> {
  const handle = await open(path, "w");
  try {
    for await (const chunk of chunks) await handle.writeFile(chunk);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Replaces a file as a whole. */
export async function replaceFile(path: string, content: string | Chunks): Promise<void> {
  const aside = `${path}.partial-${process.pid}`;
  try {
    await writeSynced(aside, typeof content === "string" ? [Buffer.from(content)] : content);
    await rename(aside, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(aside, { force: true }).catch(() => {}); // what failed first is what is told
    throw explainFailure(path, error);
  }
}

const hints: Readonly<Record<string, string>> = {
  ENOSPC: "The disk is full: free some space and go on; what was saved before is whole.",
  EACCES: "Choose a folder you may write to.",
  EPERM: "Choose a folder you may write to.",
  EROFS: "The file system is read-only: choose another folder, or go on when it may be written again.",
  ENOENT: "A folder on this path is not there: make it, or choose another.",
  ENOTDIR: "A part of this path is a file: choose another folder.",
  EEXIST: "There is a file of this name: choose another folder.",
  EISDIR: "There is a folder of this name: choose another place.",
  ENAMETOOLONG: "Choose a shorter name.",
  EIO: "The disk failed: choose another one; what was saved before is whole, as far as it can be read.",
  EDQUOT: "Your share of the disk is used up: free some space and go on; what was saved before is whole.",
};

/** Turns an operating system's refusal into an error for the user; anything else stays what it is. */
export function explainFailure(path: string, failure: unknown): unknown {
  const error = (failure as NodeJS.ErrnoException).code === "ENOENT" ? (whyNotIn(path) ?? failure) : failure;
  const { code } = error as NodeJS.ErrnoException;
  const hint = code && hints[code];
  return hint ? new SandboxError(`${path}: cannot be written (${code})`, hint, { cause: error }) : error;
}

/**
 * Makes a folder and those above it that are missing.
 *
 * @returns the first one made; undefined if all were there.
 * @throws {SandboxError} if that may not be.
 */
export function makeFolder(path: string): string | undefined {
  try {
    return mkdirSync(path, { recursive: true });
  } catch (error) {
    throw explainFailure(path, error);
  }
}

/** Node 20 reports a read-only file system as a missing folder: the nearest folder that is there tells the truth. */
function whyNotIn(path: string): unknown {
  let nearest = resolve(path);
  while (!existsSync(nearest)) nearest = dirname(nearest);
  try {
    accessSync(nearest, constants.W_OK);
    return undefined;
  } catch (error) {
    return error;
  }
}

const readingReasons: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EACCES: "it may not be read",
  EPERM: "it may not be read",
  EISDIR: "it is a folder",
  ENOTDIR: "a part of its path is a file",
};

/** Turns an operating system's refusal to read into an error for the user; anything else stays what it is. */
export function explainReading(path: string, error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  const reason = code && readingReasons[code];
  return reason ? new SandboxError(`${path}: ${reason}`, "Name a file that is there.", { cause: error }) : error;
}
