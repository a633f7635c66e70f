/** @file Where `@tensorflow/tfjs-node-gpu`, its binding and libtensorflow lie, and what is known of them without loading them. */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { z } from "zod";

export const packageName = "@tensorflow/tfjs-node-gpu";
export const packageVersion = "4.22.0";

/** The package's folder, or nothing where npm left it out. */
export function packageFolder(): string | undefined {
  try {
    return dirname(createRequire(import.meta.url).resolve(`${packageName}/package.json`));
  } catch {
    return undefined;
  }
}

/** The compiled binding, as the package looks for it. */
export const bindingPath = (folder: string): string => join(folder, "lib/napi-v8/tfjs_binding.node");

/** Compiled beside it: turns stderr off while the library loads. */
export const quietPath = (folder: string): string => join(folder, "lib/napi-v8/quiet.node");

/** Written last by the installation: what was compiled, and what the probe said. */
export const stampPath = (folder: string): string => join(folder, "lib/napi-v8/softbox.json");

/** Where the binding looks for libtensorflow; may be a link. */
export const dependencyFolder = (folder: string): string => join(folder, "deps");

/** What a staged libtensorflow says of itself. */
const LibraryManifest = z.object({
  /** `2.21.0`. */
  version: z.string(),
  build: z.enum(["cpu", "cuda"]),
  /** Names of the wheels, or a folder. */
  from: z.array(z.string()),
  files: z.record(z.string(), z.object({ size: z.number(), sha256: z.string() })),
});
export type LibraryManifest = z.infer<typeof LibraryManifest>;

/** Of a staged libtensorflow; nothing where there is none, or one that was put there by hand. */
export function readManifest(folder: string): LibraryManifest | undefined {
  try {
    return LibraryManifest.parse(JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8")));
  } catch {
    return undefined;
  }
}

/** What can be said without loading anything. */
export interface Placed {
  readonly folder: string;
  /** Whether package, binding and library are there. */
  readonly missing?: "package" | "binding" | "library";
  readonly manifest?: LibraryManifest;
}

export function findPlaced(): Placed {
  const folder = packageFolder();
  if (!folder) return { folder: "", missing: "package" };
  if (!existsSync(bindingPath(folder))) return { folder, missing: "binding" };
  const dependencies = dependencyFolder(folder);
  if (!existsSync(join(dependencies, "lib/libtensorflow.so.2"))) return { folder, missing: "library" };
  const manifest = readManifest(dependencies);
  return { folder, ...(manifest ? { manifest } : {}) };
}
