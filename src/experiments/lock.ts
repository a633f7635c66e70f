/**
 * @file One process a run: a lock file with its owner's process id; a dead owner's lock is taken over.
 *
 * The file appears with its content (a link to one written aside), and a dead owner's is moved away by a rename, which
 * only one of several processes can do to one file.
 */
import { linkSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { SandboxError } from "../engine/errors.ts";
import { explainFailure } from "../engine/files.ts";

/** Who holds a lock. */
export interface LockOwner {
  readonly pid: number;
  readonly host: string;
}

/** Locks that this very process holds, as it wrote them; another with our id is one of a process before us, as in containers. */
const held = new Map<string, LockOwner>();

function isAlive(path: string, { pid, host }: LockOwner): boolean {
  if (host !== hostname()) return true; // cannot be asked from here
  if (pid === process.pid) return held.has(path);
  try {
    process.kill(pid, 0);
    return !isDefunct(pid);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Whether a process has ended, and nobody has asked how: in containers without an init such a one stays for ever. */
function isDefunct(pid: number): boolean {
  try {
    return /^.*\) [ZX] /s.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false; // no such list here
  }
}

function ownerOf(path: string): LockOwner | undefined {
  try {
    const { pid, host } = JSON.parse(readFileSync(path, "utf8")) as Partial<LockOwner>;
    return typeof pid === "number" && typeof host === "string" ? { pid, host } : undefined;
  } catch {
    return undefined; // gone, or torn by a crash while it was written
  }
}

const isSame = (owner: LockOwner | undefined, other: LockOwner): boolean =>
  owner?.pid === other.pid && owner.host === other.host;

const lockPath = (folder: string): string => resolve(folder, "run.lock");

/** Who holds the lock of a run, dead or alive. */
export const lockOwner = (folder: string): LockOwner | undefined => ownerOf(lockPath(folder));

/** Whether a living process, this one or another, is at work on the run. */
export function isRunBusy(folder: string): boolean {
  const path = lockPath(folder);
  const owner = ownerOf(path);
  return owner !== undefined && isAlive(path, owner);
}

/**
 * Takes the lock of a run.
 *
 * @returns what gives it back.
 * @throws {SandboxError} if a living process holds it.
 */
export function lockRun(folder: string): () => void {
  const path = lockPath(folder);
  return lockFile(
    path,
    ({ pid, host }) =>
      new SandboxError(
        `run ${folder}: process ${pid} on ${host} is training it`,
        `Wait for it, stop it, or choose another folder with --run. If it is long gone, remove ${path}.`,
      ),
  );
}

/**
 * Makes a lock file.
 *
 * @param path - absolute; its folder exists.
 * @param busy - the error where a living process holds it.
 * @returns what gives it back.
 */
export function lockFile(path: string, busy: (owner: LockOwner) => SandboxError): () => void {
  const aside = `${path}.${process.pid}`;
  const self: LockOwner = { pid: process.pid, host: hostname() };
  try {
    writeFileSync(aside, JSON.stringify(self));
    take(path, aside, busy);
  } catch (error) {
    throw explainFailure(path, error);
  } finally {
    rmSync(aside, { force: true });
  }
  sweepAsides(path);
  held.set(path, self);
  return () => {
    held.delete(path);
    try {
      if (isSame(ownerOf(path), self)) rmSync(path, { force: true }); // else it was taken over
    } catch {
      // the folder cannot be written any more; whoever comes next finds the lock of a dead process
    }
  };
}

/**
 * Makes sure that this process still holds the lock: one that slept while another machine took the run over must not write.
 *
 * @throws {SandboxError} if it does not.
 */
export function expectLocked(folder: string): void {
  const owner = lockOwner(folder);
  const self = held.get(lockPath(folder)); // the machine's name may have changed since
  if (self && isSame(owner, self)) return;
  throw new SandboxError(
    `run ${folder}: ${owner ? `process ${owner.pid} on ${owner.host} has taken it over` : "its lock has gone"}, nothing more is written`,
    "Leave the run to that process, or go on with it later by --resume.",
  );
}

/** Removes the lock of an owner that is known to have ended on another machine; anybody else's stays. */
export const takeLockFrom = (folder: string, gone: LockOwner): void =>
  moveAway(lockPath(folder), (owner) => !isSame(owner, gone));

/** What processes left that were killed while they took the lock. */
function sweepAsides(path: string): void {
  for (const name of readdirSync(dirname(path))) {
    const pid = name.startsWith(`${basename(path)}.`) && Number(name.slice(basename(path).length + 1));
    if (pid && !isAlive(path, { pid, host: hostname() })) rmSync(join(dirname(path), name), { force: true });
  }
}

function take(path: string, aside: string, busy: (owner: LockOwner) => SandboxError): void {
  for (;;) {
    try {
      return put(aside, path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const owner = ownerOf(path);
    if (owner && isAlive(path, owner)) throw busy(owner);
    moveAway(path);
  }
}

/** Links where the file system can; else writes, which others may see half done. */
function put(aside: string, path: string): void {
  try {
    linkSync(aside, path);
  } catch (error) {
    if (!["EPERM", "ENOTSUP", "ENOSYS"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
    writeFileSync(path, readFileSync(aside), { flag: "wx" });
  }
}

/** Removes a dead owner's lock; if another process was faster, and this is its new one, it comes back. */
function moveAway(path: string, isKept = (owner: LockOwner): boolean => isAlive(path, owner)): void {
  const old = `${path}.old-${process.pid}`;
  try {
    renameSync(path, old);
  } catch {
    return; // another process was faster
  }
  const owner = ownerOf(old);
  if (owner && isKept(owner)) renameSync(old, path);
  else rmSync(old, { force: true });
}
