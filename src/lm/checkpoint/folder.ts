/**
 * @file A checkpoint is a folder that exists whole or not at all. It is written under another name, each file flushed, then
 * renamed; `manifest.json` carries every file's size and SHA-256, and reading checks them before anything is used.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, readFile, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { SandboxError } from "../../engine/errors.ts";
import { type Chunks, explainFailure, syncFolder, writeSynced } from "../../engine/files.ts";
import { describeIssues } from "../../engine/issues.ts";

/** Raised when the folder's form changes so that older programs cannot read it. */
const formatVersion = 1;

const Manifest = z.strictObject({
  format: z.literal("softbox-checkpoint"),
  version: z.int().positive(),
  files: z.record(z.string(), z.strictObject({ bytes: z.int().nonnegative(), sha256: z.string().length(64) })),
});

/** A name that marks a folder as unfinished; whatever carries it may be removed. */
export const partialMark = ".partial-";

interface Digest {
  readonly bytes: number;
  readonly sha256: string;
}

/** Passes chunks on and keeps count of them. */
function createDigest() {
  const hash = createHash("sha256");
  let bytes = 0;
  return {
    watch: async function* (chunks: Chunks): AsyncGenerator<Uint8Array> {
      for await (const chunk of chunks) {
        hash.update(chunk);
        bytes += chunk.byteLength;
        yield chunk;
      }
    },
    end: (): Digest => ({ bytes, sha256: hash.digest("hex") }),
  };
}

async function digestFile(path: string): Promise<Digest> {
  const digest = createDigest();
  for await (const _ of digest.watch(createReadStream(path, { highWaterMark: 2 ** 20 })));
  return digest.end();
}

/**
 * Writes `files` as the checkpoint `folder`, chunk by chunk, with their manifest; one that was there before is replaced.
 *
 * @throws {SandboxError} if the disk is full or the place may not be written; nothing half-written stays.
 */
export function writeCheckpointFolder(folder: string, files: Readonly<Record<string, Chunks>>): Promise<void> {
  const manifest = { format: "softbox-checkpoint", version: formatVersion, files: {} as Record<string, Digest> };
  return writeFolder(folder, async function* () {
    for (const [name, chunks] of Object.entries(files)) {
      const digest = createDigest();
      yield [name, digest.watch(chunks)];
      manifest.files[name] = digest.end();
    }
    yield ["manifest.json", [Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`)]];
  });
}

/**
 * Writes a folder whole or not at all; one that was there before is replaced. Errors as in `writeCheckpointFolder`.
 *
 * @param files - names and contents; the next is asked for when the last is on the disk.
 */
export async function writeFolder(
  folder: string,
  files: () => AsyncIterable<[name: string, content: Chunks]> | Iterable<[name: string, content: Chunks]>,
): Promise<void> {
  const aside = `${folder}${partialMark}${process.pid}`;
  try {
    await mkdir(aside, { recursive: true });
    for await (const [name, chunks] of files()) await writeSynced(join(aside, name), chunks);
    await syncFolder(aside);
    await replaceFolder(aside, folder);
    await syncFolder(dirname(folder));
  } catch (error) {
    await rm(aside, { recursive: true, force: true }).catch(() => {}); // what failed first is what is told
    throw explainFailure(folder, error);
  }
}

/** Renames onto `folder`; a folder cannot be renamed onto a full one, so the old one steps aside first. */
async function replaceFolder(aside: string, folder: string): Promise<void> {
  const old = `${folder}${partialMark}old-${process.pid}`;
  await rename(folder, old).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
  });
  await rename(aside, folder);
  await rm(old, { recursive: true, force: true });
}

/**
 * Checks every file of a checkpoint against the manifest.
 *
 * @returns their paths by name.
 * @throws {SandboxError} if it is missing, incomplete, altered, or of a newer form.
 */
export async function checkCheckpointFolder(folder: string): Promise<Map<string, string>> {
  const manifest = await readManifest(folder);
  const paths = new Map<string, string>();
  for (const [name, expected] of Object.entries(manifest.files)) {
    if (name !== basename(name))
      throw broken(folder, `its manifest names ${JSON.stringify(name)}, which is no plain file name`);
    const path = join(folder, name);
    const got = await digestFile(path).catch(() => {
      throw broken(folder, `${name} is missing`);
    });
    if (got.bytes !== expected.bytes)
      throw broken(folder, `${name} has ${got.bytes} bytes, expected ${expected.bytes}`);
    if (got.sha256 !== expected.sha256) throw broken(folder, `${name} was altered (its SHA-256 differs)`);
    paths.set(name, path);
  }
  return paths;
}

const broken = (folder: string, what: string): SandboxError =>
  new SandboxError(`checkpoint ${folder}: ${what}`, "Choose another step of this run, or train it again.");

async function readManifest(folder: string): Promise<z.infer<typeof Manifest>> {
  const text = await readFile(join(folder, "manifest.json"), "utf8").catch(() => {
    throw broken(folder, "it has no manifest.json");
  });
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    throw broken(folder, "its manifest.json is not JSON");
  }
  const version = (raw as { version?: unknown } | null)?.version;
  if (typeof version === "number" && version > formatVersion)
    throw new SandboxError(
      `checkpoint ${folder}: written in form ${version}, this softbox reads up to ${formatVersion}`,
      "Use the newer softbox that wrote it.",
    );
  const result = Manifest.safeParse(raw);
  if (!result.success) throw broken(folder, `its manifest.json is damaged:\n${describeIssues(result.error, raw)}`);
  return result.data;
}
