/** @file What installations in the user's cache folder share: one at a time, folders made aside, files that are what they should be. */
import { existsSync, mkdirSync } from "node:fs";
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { SandboxError } from "../../engine/errors.ts";
import { explainFailure } from "../../engine/files.ts";
import { lockFile } from "../../experiments/lock.ts";
import { hashOf } from "./download.ts";

/** @returns what gives the lock back. @throws {SandboxError} where another process installs the same engine. */
export function lockCache(cache: string, engine: string): () => void {
  try {
    mkdirSync(cache, { recursive: true });
  } catch (error) {
    throw explainFailure(cache, error);
  }
  const path = join(cache, `${engine}.lock`);
  const refuse = ({ pid, host }: { pid: number; host: string }): SandboxError =>
    new SandboxError(
      `${engine}: process ${pid} on ${host} is installing it`,
      `Wait for it. If it is long gone, remove ${path}.`,
    );
  return lockFile(path, refuse);
}

/** A child of a killed process, such as npm, may write on for a moment. */
const patience = { maxRetries: 20, retryDelay: 100 } as const;

/** Removes what killed processes left; whoever installs holds the lock of the cache. */
export async function sweepPartials(folder: string): Promise<void> {
  if (!existsSync(folder)) return;
  for (const name of await readdir(folder))
    if (name.includes(".partial-")) await rm(join(folder, name), { recursive: true, force: true, ...patience });
}

/** By paths within a folder. */
export type FileList = Readonly<Record<string, { readonly size: number; readonly sha256: string }>>;

/** Whether every file is there, of its size and SHA-256. */
export async function filesAreWhole(folder: string, files: FileList): Promise<boolean> {
  for (const [file, { size, sha256 }] of Object.entries(files)) {
    const path = join(folder, file);
    if ((await stat(path).catch(() => undefined))?.size !== size || (await hashOf(path)) !== sha256) return false;
  }
  return true;
}

/** Sizes and hashes of all files in a folder. */
export async function listFiles(folder: string): Promise<FileList> {
  const files: Record<string, FileList[string]> = {};
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const name = path.slice(folder.length + 1).replaceAll("\\", "/");
    files[name] = { size: (await stat(path)).size, sha256: await hashOf(path) };
  }
  return files;
}
