/** @file The built command line in a process of its own, as a user starts it. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
export const program = join(root, "bin/softbox.js");
if (!existsSync(join(root, "dist/cli/main.js"))) throw new Error("dist/ is missing: build first (npm run prepare)");

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

/** The environment of a person, not of a test: nothing of vitest's, a cache beside the work. */
export function environment(cwd: string): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(VITEST|NODE_ENV|SOFTBOX_|CI$|FORCE_COLOR)/.test(name),
  );
  return { ...Object.fromEntries(kept), SOFTBOX_CACHE: join(cwd, "cache") };
}

/** Runs `softbox <args>` in `cwd` to its end. */
export const softbox = (cwd: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> =>
  softboxAt(program, cwd, args, env);

/** The same with a program that lies elsewhere. */
export function softboxAt(
  script: string,
  cwd: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<Ended> {
  return ending(spawn(process.execPath, [script, ...args], { cwd, env: { ...environment(cwd), ...env } }));
}

/** Runs a script in bash; `"$PROGRAM"` is the program, for node. */
export function shell(cwd: string, script: string): Promise<Ended> {
  const env = { ...environment(cwd), PROGRAM: program };
  return ending(spawn("bash", ["-c", script], { cwd, env }));
}

function ending(child: ReturnType<typeof spawn>): Promise<Ended> {
  const text = { out: "", err: "" };
  child.stdout!.setEncoding("utf8").on("data", (chunk: string) => {
    text.out += chunk;
  });
  child.stderr!.setEncoding("utf8").on("data", (chunk: string) => {
    text.err += chunk;
  });
  child.stdin?.end();
  return new Promise((resolve, reject) => {
    child.on("error", reject).on("close", (code, signal) => resolve({ code, signal, ...text }));
  });
}

/** Flags of a model that trains in a second: 18 characters, one block, 16 wide. */
export const tinyFlags =
  "--recipe nano-char --corpus text.txt --layers 1 --heads 2 --embed 16 --context 16 --batch-size 4 --threads 1 --set sample.tokens=8".split(
    " ",
  );
