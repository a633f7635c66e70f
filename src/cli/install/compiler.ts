/** @file The compiler that compiles the native engine (`native/install.mjs`), for addons that belong to libraries of others. */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { packageRoot } from "../../engine/packageRoot.ts";

/** native/install.mjs as seen from here. */
interface CompilerScript {
  findCompiler(): Compiler | undefined;
  noCompiler(): string;
  run(command: string, args: readonly string[], cwd: string): Promise<void>;
  firstError(error: Error): string;
}

export interface Compiler {
  readonly command: string;
  readonly arguments: readonly string[];
  readonly version: string;
}

export const loadCompilers = (): Promise<CompilerScript> =>
  import(pathToFileURL(join(packageRoot(), "native/install.mjs")).href) as Promise<CompilerScript>;

/** For an addon, which is linked against nothing yet. */
export const addonFlags = ["-O2", "-std=c++17", "-shared", "-fPIC", "-w", "-DNAPI_VERSION=8"] as const;

/** The folder of Node-API's headers. */
export const nodeHeaders = (): string =>
  join(dirname(createRequire(import.meta.url).resolve("node-api-headers/package.json")), "include");

/** Turns stderr off and on; see `engine/quietly.ts`. */
export const quietSource = join(packageRoot(), "native/quiet/quiet.cc");

/** Compiles it to `path`. */
export async function compileQuiet(compiler: Compiler, path: string): Promise<void> {
  const { run } = await loadCompilers();
  const args = [...compiler.arguments, ...addonFlags, `-I${nodeHeaders()}`, quietSource, "-o", path];
  await run(compiler.command, args, packageRoot());
}
