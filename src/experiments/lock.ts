/** @file One process a run: a lock file with its owner's process id; a dead owner's lock is taken over. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { SandboxError } from "../engine/errors.ts";
import { explainFailure } from "../engine/files.ts";

interface Owner {
  readonly pid: number;
  readonly host: string;
}

function isAlive({ pid, host }: Owner): boolean {
  if (host !== hostname()) return true; // cannot be asked from here
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function ownerOf(path: string): Owner | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Owner;
  } catch {
    return undefined; // gone, or torn by a crash while it was written
  }
}

/**
 * Takes the lock of a run.
 *
 * @returns what gives it back.
 * @throws {SandboxError} if a living process holds it.
 */
export function lockRun(folder: string): () => void {
  const path = join(folder, "run.lock");
  const me: Owner = { pid: process.pid, host: hostname() };
  const take = (): void => writeFileSync(path, JSON.stringify(me), { flag: "wx" });
  try {
    take();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw explainFailure(path, error);
    const owner = ownerOf(path);
    if (owner && isAlive(owner))
      throw new SandboxError(
        `run ${folder}: process ${owner.pid} on ${owner.host} is training it`,
        `Wait for it, stop it, or choose another folder with --run. If it is long gone, remove ${path}.`,
      );
    rmSync(path, { force: true });
    take();
  }
  return () => rmSync(path, { force: true });
}
