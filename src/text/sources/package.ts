/** @file Corpora that are text files of an npm package. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { globSync } from "tinyglobby";
import { z } from "zod";
import { SandboxError } from "../../engine/errors.ts";
import { byNaturalOrder } from "./naturalOrder.ts";

export const packageSource = z.strictObject({
  type: z.literal("package"),
  package: z.string().min(1).describe("an npm package that softbox depends on"),
  files: z.array(z.string()).min(1).describe("globs inside the package, one after the other, each in natural order"),
});

/** The documents, in the order that the globs give. @throws {SandboxError} if the package is not installed. */
export function readPackageDocuments(source: z.infer<typeof packageSource>): string[] {
  const folder = packageFolder(source.package);
  const files = source.files.flatMap((glob) => globSync(glob, { cwd: folder }).sort(byNaturalOrder));
  return files.map((file) => readFileSync(join(folder, file), "utf8"));
}

function packageFolder(name: string): string {
  try {
    return dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));
  } catch (cause) {
    throw new SandboxError(`corpus: the npm package ${name} must be installed`, "Run `npm ci` in softbox's folder.", {
      cause,
    });
  }
}
