/**
 * @file `softbox doctor --install webgpu`: Dawn and tfjs's backend over it in the user's cache folder, whole or not there at all.
 *
 * npm fetches both, as `native/webgpu/package-lock.json` has their hashes, into a folder aside; what this system needs of them goes on to
 * the place that `engine/webgpu/place.ts` tells of. So no later `npm ci` prunes them, and the other systems' libraries, 110 MB, do not stay.
 */
import { copyFile, cp, mkdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { defaultCacheFolder } from "../../engine/cacheFolder.ts";
import { SandboxError } from "../../engine/errors.ts";
import { explainFailure } from "../../engine/files.ts";
import { packageRoot } from "../../engine/packageRoot.ts";
import { libraryFolder, type Manifest, parts, placeOf, readManifest, versions } from "../../engine/webgpu/place.ts";
import { compileQuiet, loadCompilers } from "./compiler.ts";
import { npm } from "./npm.ts";
import { probeEngine } from "./probe.ts";
import type { Progress } from "./progress.ts";
import { filesAreWhole, listFiles, lockCache, sweepPartials } from "./staging.ts";

const packages = `webgpu ${versions.webgpu} (Dawn) and @tensorflow/tfjs-backend-webgpu ${versions.backend}`;

/** @throws {SandboxError} where a step fails; the next run goes on from there. */
export async function installWebgpu(_options: object, progress: Progress): Promise<void> {
  const cache = defaultCacheFolder();
  const unlock = lockCache(cache, "webgpu");
  try {
    progress.line(`1/2 ${packages}`);
    const place = placeOf(cache);
    const whole = await isWhole(place);
    if (whole) progress.line(`  are there: ${place}`);
    else await stage(place, progress);
    progress.line("2/2 probe, in a process of its own");
    const { description, gigaflops } = await probeEngine("webgpu");
    progress.line(`  ${description}: ${gigaflops} GFLOP/s (float32 matmul)`);
    progress.line(whole ? "Everything was in place." : "Ready: --engine webgpu");
  } finally {
    unlock();
  }
}

/** Takes back what `installWebgpu` made, of every version. */
export async function removeWebgpu(progress: Progress): Promise<void> {
  const cache = defaultCacheFolder();
  const unlock = lockCache(cache, "webgpu");
  try {
    const folder = dirname(placeOf(cache));
    if (!(await stat(folder).catch(() => undefined))) return progress.line("There is nothing to remove.");
    await rm(folder, { recursive: true, force: true });
    progress.line(`removed ${folder}`);
  } finally {
    unlock();
  }
}

/** Makes the place aside and renames it. */
async function stage(place: string, progress: Progress): Promise<void> {
  const aside = `${place}.partial-${process.pid}`;
  const modules = join(aside, "npm");
  try {
    await sweepPartials(dirname(place));
    await mkdir(modules, { recursive: true });
    progress.line("  npm fetches them, 50 MB or so");
    for (const file of ["package.json", "package-lock.json"])
      await copyFile(join(packageRoot(), "native/webgpu", file), join(modules, file));
    await npm("webgpu", modules, ["ci", "--legacy-peer-deps"]);
    await take(join(modules, "node_modules"), aside);
    await rm(modules, { recursive: true });
    await silence(aside, progress);
    const manifest: Manifest = { files: await listFiles(aside) };
    await writeFile(join(aside, parts.manifest), `${JSON.stringify(manifest, undefined, 1)}\n`);
    await rm(place, { recursive: true, force: true });
    await rename(aside, place);
    progress.line(`  are in ${place}`);
  } catch (error) {
    await rm(aside, { recursive: true, force: true }).catch(() => {}); // what failed first is what is told
    throw explainFailure(aside, error);
  }
}

/** What Node loads of the two packages on this system. */
async function take(modules: string, target: string): Promise<void> {
  const [dawn, backend] = [join(modules, "webgpu"), join(modules, "@tensorflow/tfjs-backend-webgpu")];
  if (!(await stat(join(dawn, libraryFolder)).catch(() => undefined)))
    throw new SandboxError(
      `webgpu: its package has no library for ${process.platform} on ${process.arch}`,
      "The engines native and wasm run here; softbox doctor lists them.",
    );
  await cp(join(dawn, libraryFolder), join(target, "webgpu", libraryFolder), { recursive: true });
  for (const file of ["index.js", "package.json", "LICENSE.md"]) await copyIfThere(dawn, file, join(target, "webgpu"));
  await mkdir(join(target, "backend"));
  await copyFile(join(backend, "dist/tf-backend-webgpu.node.js"), join(target, parts.backend));
}

async function copyIfThere(folder: string, file: string, target: string): Promise<void> {
  if (await stat(join(folder, file)).catch(() => undefined)) await copyFile(join(folder, file), join(target, file));
}

/** Without a compiler Dawn may remark on a software adapter's limits on stderr, and all else is as with one. */
async function silence(folder: string, progress: Progress): Promise<void> {
  const compiler = (await loadCompilers()).findCompiler();
  const failed = (): void => progress.line("  without a working compiler, Dawn's remarks are not silenced");
  if (compiler) await compileQuiet(compiler, join(folder, parts.quiet)).catch(failed);
  else if (process.platform !== "win32") failed();
}

/** Whether every file of a place is there, of its size and SHA-256. */
async function isWhole(place: string): Promise<boolean> {
  const manifest = readManifest(place);
  return manifest !== undefined && (await filesAreWhole(place, manifest.files));
}
