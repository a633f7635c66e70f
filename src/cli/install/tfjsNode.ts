/** @file Puts `@tensorflow/tfjs-node-gpu` in place where npm left it out, without its install script, which downloads a library of 2022. */
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { SandboxError } from "../../engine/errors.ts";
import { packageFolder, packageName, packageVersion } from "../../engine/tensorflow/place.ts";
import type { Progress } from "./progress.ts";

/** What other commands of ours put there in the same way; npm would take them for leftovers. */
const neighbours = ["webgpu", "@tensorflow/tfjs-backend-webgpu"];

/** @returns the package's folder. @throws {SandboxError} if npm cannot have it. */
export async function placePackage(progress: Progress): Promise<string> {
  const present = packageFolder();
  if (present) return present;
  const project = projectFolder();
  progress.line(`  npm left ${packageName} out; installing it`);
  const kept = neighbours.flatMap((name) => installed(project, name));
  await npm(project, [`${packageName}@${packageVersion}`, ...kept]);
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

function installed(project: string, name: string): string[] {
  const file = join(project, "node_modules", name, "package.json");
  if (!existsSync(file)) return [];
  return [`${name}@${(JSON.parse(readFileSync(file, "utf8")) as { version: string }).version}`];
}

function npm(project: string, packages: readonly string[]): Promise<void> {
  const options = ["install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  const script = process.env.npm_execpath; // the npm that runs us, where one does
  const [command, before] = script?.endsWith(".js") ? [process.execPath, [script]] : ["npm", []];
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...before, ...options, ...packages], {
      cwd: project,
      stdio: ["ignore", "ignore", "pipe"],
    });
    let errors = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      errors += text;
    });
    const fail = (reason: string): void =>
      reject(
        new SandboxError(
          `${packageName}: npm cannot install it: ${reason}`,
          "Is there a network, and does npm reach its registry? Then run the command again.",
        ),
      );
    child.on("error", ({ message }) => fail(message));
    child.on("close", (code) => (code === 0 ? resolve() : fail(firstLine(errors) ?? `it ended with ${code}`)));
  });
}

/** npm's first line that says more than an error code. */
const firstLine = (text: string): string | undefined =>
  text
    .split("\n")
    .map((line) => line.replace(/^npm (ERR!|error)\s*/, "").trim())
    .find((line) => line && !/^(code|errno|syscall) /.test(line));
