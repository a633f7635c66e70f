/**
 * @file Where Dawn and tfjs's WebGPU backend lie, in the user's cache folder, and what is known of them without loading them:
 *
 *     webgpu/0.6.2-4.22.0-linux-x64/webgpu/    the npm package of Dawn, with the library for this system alone
 *                                   backend/   the one file of `@tensorflow/tfjs-backend-webgpu` that Node loads
 *                                   quiet.node where there was a compiler: turns stderr off while Dawn starts
 *                                   manifest.json
 *
 * A folder of this name is whole: it is made aside and renamed.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { defaultCacheFolder } from "../cacheFolder.ts";

/** The versions that are tested; `native/webgpu/package-lock.json` holds their hashes. */
export const versions = { webgpu: "0.6.2", backend: "4.22.0" } as const;

/** Whether or not there is anything. */
export const placeOf = (cache = defaultCacheFolder()): string =>
  join(cache, "webgpu", `${versions.webgpu}-${versions.backend}-${process.platform}-${process.arch}`);

/** Paths within the place. */
export const parts = {
  dawn: "webgpu/index.js",
  backend: "backend/tf-backend-webgpu.node.js",
  quiet: "quiet.node",
  manifest: "manifest.json",
} as const;

/** Dawn's libraries for this system, within its package. */
export const libraryFolder = `dist/${process.platform}-${process.platform === "darwin" ? "universal" : process.arch}`;

const Manifest = z.object({ files: z.record(z.string(), z.object({ size: z.number(), sha256: z.string() })) });
export type Manifest = z.infer<typeof Manifest>;

/** What a place holds; nothing where there is none. */
export function readManifest(place: string): Manifest | undefined {
  try {
    return Manifest.parse(JSON.parse(readFileSync(join(place, parts.manifest), "utf8")));
  } catch {
    return undefined;
  }
}

export const isPlaced = (place = placeOf()): boolean => existsSync(join(place, parts.manifest));
