/** @file Runs npm, silently: never an install script, and its first word about a failure becomes ours. */
import { spawn } from "node:child_process";
import { SandboxError } from "../../engine/errors.ts";

const quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];

/**
 * @param what - for the message.
 * @param folder - where it runs.
 * @throws {SandboxError} if npm is missing, or fails.
 */
export function npm(what: string, folder: string, args: readonly string[]): Promise<void> {
  const script = process.env.npm_execpath; // the npm that runs us, where one does
  const [command, before] = script?.endsWith(".js") ? [process.execPath, [script]] : ["npm", []];
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...before, ...args, ...quiet], {
      cwd: folder,
      stdio: ["ignore", "ignore", "pipe"],
      shell: process.platform === "win32" && command === "npm", // a script there
    });
    let errors = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      errors += text;
    });
    const fail = (reason: string): void =>
      reject(
        new SandboxError(
          `${what}: npm cannot install it: ${reason}`,
          "Is there a network, and does npm reach its registry? Then run the command again.",
        ),
      );
    child.on("error", ({ message }) => fail(message));
    child.on("close", (code, signal) => {
      if (code === 0) resolve();
      else fail(firstLine(errors) ?? `it ended with ${signal ?? code}`);
    });
  });
}

/** npm's first line that says more than an error code. */
const firstLine = (text: string): string | undefined =>
  text
    .split("\n")
    .map((line) => line.replace(/^npm (ERR!|error)\s*/, "").trim())
    .find((line) => line && !/^(code|errno|syscall) /.test(line));
