/**
 * @file libtensorflow in the user's cache folder: the few files of TensorFlow's Python package that its C interface needs,
 *
 *     libtensorflow/2.21.0-cpu/lib/       the libraries, and the names under which they are looked for
 *                              include/   the C interface's headers
 *                              nvidia/    CUDA's libraries, with --cuda; the library looks for them at this place
 *                              manifest.json
 *
 * A folder of this name is whole: it is made aside and renamed.
 */
import { createHash } from "node:crypto";
import { createWriteStream, existsSync } from "node:fs";
import { mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { SandboxError } from "../../engine/errors.ts";
import { explainFailure } from "../../engine/files.ts";
import { type LibraryManifest, readManifest } from "../../engine/tensorflow/place.ts";
import { expectRoom } from "./download.ts";
import { type Distribution, damagedWheel, type Parcel, recordedHashes } from "./parcel.ts";
import type { Progress } from "./progress.ts";
import { filesAreWhole, sweepPartials } from "./staging.ts";

const libraries = ["libtensorflow_cc.so.2", "libtensorflow_framework.so.2"];

/** Other names of the libraries: what the linker asks for, and what the binding of 2022 was linked against. */
const aliases: Readonly<Record<string, string>> = {
  "libtensorflow.so": libraries[0]!,
  "libtensorflow.so.2": libraries[0]!,
  "libtensorflow.so.2.9.1": libraries[0]!,
  "libtensorflow_framework.so": libraries[1]!,
};

/** Where a file of a package goes; nothing for the many that are not needed. */
function placeOf(file: string): string | undefined {
  const [, name] = file.match(/^tensorflow\/([^/]+)$/) ?? [];
  if (name && libraries.includes(name)) return `lib/${name}`;
  const [, header] =
    file.match(/^tensorflow\/(include\/(?:tensorflow\/c|tensorflow\/core\/platform|tsl|xla\/tsl)\/.+)$/) ?? [];
  if (header && !file.endsWith("/")) return header;
  return /^nvidia\/[^/]+\/(lib|bin|nvvm)\/.*[^/]$/.test(file) ? file : undefined;
}

export const libraryFolder = (cache: string, { version, build }: Pick<LibraryManifest, "version" | "build">): string =>
  join(cache, "libtensorflow", `${version}-${build}`);

/** CUDA or not is told by the project's name, on the one processor for which there are both. */
export const buildOf = ({ project }: Distribution): LibraryManifest["build"] =>
  project === "tensorflow" && process.arch === "x64" ? "cuda" : "cpu";

/**
 * Unpacks what is needed into the cache.
 *
 * @param parcels - TensorFlow's package first, then NVIDIA's.
 * @returns the folder.
 * @throws {SandboxError} if a file is missing, damaged, or finds no room; nothing is left then.
 */
export async function stageLibrary(
  cache: string,
  parcels: readonly Parcel[],
  distribution: Distribution,
  progress: Progress,
): Promise<string> {
  const { version } = distribution;
  const build = buildOf(distribution);
  const target = libraryFolder(cache, { version, build });
  expectLibraries(parcels[0]!);
  const aside = `${target}.partial-${process.pid}`;
  try {
    await sweepPartials(dirname(target));
    await mkdir(join(aside, "lib"), { recursive: true });
    const files = await unpackAll(parcels, aside, progress);
    for (const [alias, library] of Object.entries(aliases)) await symlink(library, join(aside, "lib", alias));
    const manifest: LibraryManifest = { version, build, from: parcels.map(({ name }) => name), files };
    await writeFile(join(aside, "manifest.json"), `${JSON.stringify(manifest, undefined, 1)}\n`);
    await rm(target, { recursive: true, force: true });
    await rename(aside, target);
  } catch (error) {
    await rm(aside, { recursive: true, force: true }).catch(() => {}); // what failed first is what is told
    throw explainFailure(aside, error);
  }
  return target;
}

function expectLibraries({ name, files }: Parcel): void {
  for (const library of libraries)
    if (!files.has(`tensorflow/${library}`))
      throw new SandboxError(
        `${name}: expected tensorflow/${library} in it, and it is not there`,
        "The build for Linux of tensorflow-cpu or tensorflow is wanted.",
      );
}

async function unpackAll(
  parcels: readonly Parcel[],
  aside: string,
  progress: Progress,
): Promise<LibraryManifest["files"]> {
  const chosen = parcels.flatMap((parcel) =>
    [...parcel.files].flatMap(([file, size]) => {
      const place = placeOf(file);
      return place ? [{ parcel, file, size, place }] : [];
    }),
  );
  const all = chosen.reduce((sum, { size }) => sum + size, 0);
  await expectRoom(aside, all, "libtensorflow");
  const hashes = new Map<Parcel, Map<string, string>>();
  for (const parcel of parcels) hashes.set(parcel, await recordedHashes(parcel));
  const files: LibraryManifest["files"] = {};
  let before = 0;
  for (const { parcel, file, size, place } of chosen) {
    const tell = (done: number): void => progress.part("unpacking libtensorflow", before + done, all);
    const sha256 = await unpack(parcel, file, join(aside, place), tell);
    const expected = hashes.get(parcel)!.get(file);
    if (expected && expected !== sha256)
      throw damagedWheel(parcel.name, new Error(`the SHA-256 of ${file} must be ${expected}, got ${sha256}`));
    files[place] = { size, sha256 };
    before += size;
  }
  return files;
}

async function unpack(parcel: Parcel, file: string, path: string, tell: (done: number) => void): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  const hash = createHash("sha256");
  let done = 0;
  const meter = new Transform({
    transform: (chunk: Buffer, _encoding, next) => {
      hash.update(chunk);
      done += chunk.length;
      tell(done);
      next(null, chunk);
    },
  });
  try {
    await pipeline(await parcel.read(file), meter, createWriteStream(path, { flush: true }));
  } catch (error) {
    throw explainFailure(path, error) === error && !(error as NodeJS.ErrnoException).syscall
      ? damagedWheel(parcel.name, error)
      : error;
  }
  return hash.digest("hex");
}

/** Whether every file of a staged library is there, of its size and SHA-256. */
export async function isWhole(folder: string): Promise<boolean> {
  const manifest = readManifest(folder);
  if (!manifest || !(await filesAreWhole(folder, manifest.files))) return false;
  return Object.keys(aliases).every((alias) => existsSync(join(folder, "lib", alias)));
}
