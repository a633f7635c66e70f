/**
 * @file `softbox doctor --install tensorflow`: a working `tensorflow` engine in four steps, each whole or not there at all.
 *
 * 1. npm's package; 2. libtensorflow in the user's cache folder; 3. the binding, compiled; 4. a probe. A second run looks at
 * what there is and does what is missing.
 */
import { existsSync, lstatSync, readFileSync, realpathSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { defaultCacheFolder } from "../../engine/cacheFolder.ts";
import { SandboxError } from "../../engine/errors.ts";
import { explainFailure, replaceFile } from "../../engine/files.ts";
import {
  bindingPath,
  dependencyFolder,
  type LibraryManifest,
  packageFolder,
  packageName,
  readManifest,
  stampPath,
} from "../../engine/tensorflow/place.ts";
import { bindingSources, compileBinding } from "./binding.ts";
import { download } from "./download.ts";
import { buildOf, isWhole, libraryFolder, stageLibrary } from "./libtensorflow.ts";
import { listWheels, newestFitting } from "./packageIndex.ts";
import { describeTensorflow, openParcels, openWheel, type Parcel } from "./parcel.ts";
import { choosePackageIndex, type PackageIndex } from "./pip.ts";
import { type ProbeResult, probeEngine } from "./probe.ts";
import type { Progress } from "./progress.ts";
import { lockCache } from "./staging.ts";
import { placePackage } from "./tfjsNode.ts";

/** The version that is tested; the binding needs none in particular. */
export const wantedVersion = "2.21.0";

export interface InstallOptions {
  /** The CUDA 12 build and NVIDIA's libraries, for GPUs. */
  readonly cuda?: boolean;
  /** A wheel, a folder of wheels, or a folder like Python's site-packages; no index is asked then. */
  readonly from?: string;
  /** Address of a package index, in place of pip's. */
  readonly index?: string;
}

/** What is written when everything is in place. */
interface Stamp extends ProbeResult {
  readonly sources: string;
  /** The staged library, with all links followed. */
  readonly library: string;
}

/** @throws {SandboxError} where a step fails; what was done before it is kept, and the next run goes on from there. */
export async function installTensorflow(options: InstallOptions, progress: Progress): Promise<void> {
  expectSystem(options);
  const cache = defaultCacheFolder();
  const unlock = lockCache(cache, "tensorflow");
  try {
    progress.line(`1/4 ${packageName}`);
    const folder = await placePackage(progress);
    progress.line("2/4 libtensorflow");
    const library = await placeLibrary(cache, options, progress);
    progress.line("3/4 binding");
    const sources = bindingSources(folder);
    const stamp = readStamp(folder);
    const current = existsSync(bindingPath(folder)) && stamp?.sources === sources;
    const linked = isLinked(folder, library);
    if (!current || !linked) rmSync(stampPath(folder), { force: true });
    link(folder, library);
    if (current) progress.line("  is there");
    else await compileBinding(folder, progress);
    progress.line("4/4 probe, in a process of its own");
    const probed = await probe(folder);
    await replaceFile(stampPath(folder), `${JSON.stringify({ sources, library, ...probed } satisfies Stamp)}\n`);
    progress.line(`  ${probed.description}: ${probed.gigaflops} GFLOP/s (float32 matmul)`);
    progress.line(current && linked ? "Everything was in place." : "Ready: --engine tensorflow");
  } finally {
    unlock();
  }
}

/** Takes back what `installTensorflow` made; npm's package stays, which is npm's to keep. */
export async function removeTensorflow(progress: Progress): Promise<void> {
  const cache = defaultCacheFolder();
  const unlock = lockCache(cache, "tensorflow");
  try {
    const folder = packageFolder();
    const paths = [
      ...(folder ? [stampPath(folder), bindingPath(folder), dependencyFolder(folder), join(folder, "lib")] : []),
      join(cache, "libtensorflow"),
      join(cache, "downloads"),
    ];
    const there = paths.filter((path) => lstatSync(path, { throwIfNoEntry: false }));
    for (const path of there) rmSync(path, { recursive: true, force: true });
    for (const path of there) progress.line(`removed ${path}`);
    if (there.length === 0) progress.line("There is nothing to remove.");
  } finally {
    unlock();
  }
}

function expectSystem({ cuda }: InstallOptions): void {
  const here = `${process.platform} on ${process.arch}`;
  const other = "The engines native and wasm run here; softbox doctor lists them.";
  const libc = (process.report.getReport() as { header?: { glibcVersionRuntime?: string } }).header;
  if (process.platform !== "linux" || !["x64", "arm64"].includes(process.arch))
    throw new SandboxError(`tensorflow: it can be installed on Linux with x64 or arm64, and this is ${here}`, other);
  if (!libc?.glibcVersionRuntime)
    throw new SandboxError("tensorflow: libtensorflow needs glibc, and this system has another C library", other);
  if (cuda && process.arch !== "x64")
    throw new SandboxError(`tensorflow: there is no CUDA build of libtensorflow for ${here}`, "Leave out --cuda.");
}

// ---- libtensorflow

/** @returns the folder of a library that is whole. */
async function placeLibrary(cache: string, options: InstallOptions, progress: Progress): Promise<string> {
  if (options.from) return stageFrom(cache, options.from, progress);
  const build: LibraryManifest["build"] = options.cuda ? "cuda" : "cpu";
  const target = libraryFolder(cache, { version: wantedVersion, build });
  if (await isWhole(target)) {
    progress.line(`  is there: ${target}`);
    return realpathSync(target);
  }
  const index = choosePackageIndex(options.index);
  const project = options.cuda || process.arch === "arm64" ? "tensorflow" : "tensorflow-cpu";
  const downloads = join(cache, "downloads");
  const wheels = [await fetchWheel(index, project, `==${wantedVersion}`, downloads, progress)];
  const parcels: Parcel[] = [];
  try {
    parcels.push(await openWheel(wheels[0]!));
    const distribution = await describeTensorflow(parcels[0]!);
    for (const { project: library, wanted } of options.cuda ? distribution.cuda : []) {
      wheels.push(await fetchWheel(index, library, wanted, downloads, progress));
      parcels.push(await openWheel(wheels.at(-1)!));
    }
    const folder = await stageLibrary(cache, parcels, distribution, progress);
    for (const wheel of wheels) rmSync(wheel, { force: true });
    progress.line(`  libtensorflow ${distribution.version} is in ${folder}`);
    return realpathSync(folder);
  } finally {
    for (const parcel of parcels) parcel.close();
  }
}

async function fetchWheel(
  index: PackageIndex,
  project: string,
  wanted: string,
  folder: string,
  progress: Progress,
): Promise<string> {
  const wheel = newestFitting(project, await listWheels(index, project), wanted);
  if (!wheel.sha256) progress.line(`  the index gives no SHA-256 of ${wheel.name}; its own list of files must do`);
  const path = await download(wheel, folder, progress);
  progress.line(`  ${wheel.name}: ${wheel.sha256 ? "SHA-256 as the index says" : "fetched"}`);
  return path;
}

async function stageFrom(cache: string, from: string, progress: Progress): Promise<string> {
  const parcels = (await openParcels(from)).sort((a, b) => Number(isLibrary(b)) - Number(isLibrary(a)));
  try {
    const distribution = await describeTensorflow(parcels[0]!);
    const target = libraryFolder(cache, { version: distribution.version, build: buildOf(distribution) });
    const sameOrigin = String(readManifest(target)?.from) === String(parcels.map(({ name }) => name));
    if (sameOrigin && (await isWhole(target))) {
      progress.line(`  is there: ${target}`);
      return realpathSync(target);
    }
    const folder = await stageLibrary(cache, parcels, distribution, progress);
    progress.line(`  libtensorflow ${distribution.version} from ${parcels[0]!.name} is in ${folder}`);
    return realpathSync(folder);
  } finally {
    for (const parcel of parcels) parcel.close();
  }
}

const isLibrary = ({ files }: Parcel): boolean => files.has("tensorflow/libtensorflow_cc.so.2");

// ---- the package

function isLinked(folder: string, library: string): boolean {
  const path = dependencyFolder(folder);
  return (
    lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true &&
    existsSync(path) &&
    realpathSync(path) === library
  );
}

/** Leads the package's `deps` to the library; a folder of its own, put there by other hands, gives way. */
function link(folder: string, library: string): void {
  if (isLinked(folder, library)) return;
  const path = dependencyFolder(folder);
  const aside = `${path}.partial-${process.pid}`;
  try {
    symlinkSync(library, aside);
    if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) rmSync(path, { recursive: true });
    renameSync(aside, path);
  } catch (error) {
    throw explainFailure(path, error);
  }
}

/** A binding that does not run does not stay. */
async function probe(folder: string): Promise<ProbeResult> {
  try {
    return await probeEngine("tensorflow");
  } catch (error) {
    rmSync(bindingPath(folder), { force: true });
    throw error;
  }
}

function readStamp(folder: string): Stamp | undefined {
  try {
    return JSON.parse(readFileSync(stampPath(folder), "utf8")) as Stamp;
  } catch {
    return undefined;
  }
}
