/** @file Puts `@tensorflow/tfjs-node-gpu` in place where npm left it out, without its install script, which downloads a library of 2022. */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { SandboxError } from "../../engine/errors.ts";
import { packageFolder, packageName, packageVersion } from "../../engine/tensorflow/place.ts";
import { npm } from "./npm.ts";
import type { Progress } from "./progress.ts";

/** @returns the package's folder. @throws {SandboxError} if npm cannot have it. */
export async function placePackage(progress: Progress): Promise<string> {
  const present = packageFolder();
  if (present) return present;
  const project = projectFolder();
  progress.line(`  npm left ${packageName} out; installing it`);
  await npm(packageName, project, ["install", "--no-save", `${packageName}@${packageVersion}`]);
  const folder = join(project, "node_modules", packageName);
  if (existsSync(join(folder, "package.json"))) return folder;
  throw new SandboxError(
    `${packageName}: npm ended well, and the package is not in ${project}/node_modules`,
    `Try by hand: npm install --no-save --ignore-scripts ${packageName}@${packageVersion}`,
  );
}

/** The folder whose node_modules hold what softbox uses: its own, or that of the project it is installed in. */
function projectFolder(): string {
  const tfjs = createRequire(import.meta.url).resolve("@tensorflow/tfjs/package.json");
  return dirname(dirname(dirname(dirname(tfjs))));
}
