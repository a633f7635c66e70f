/** @file Compiles the package's own binding, unchanged, against libtensorflow and the headers of `node-api-headers`. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { SandboxError } from "../../engine/errors.ts";
import { bindingPath, quietPath } from "../../engine/tensorflow/place.ts";
import { addonFlags, compileQuiet, loadCompilers, nodeHeaders, quietSource } from "./compiler.ts";
import type { Progress } from "./progress.ts";

const sources = ["binding/tfjs_backend.cc", "binding/tfjs_binding.cc"];

/** What the binding would be made from now: its sources and flags. */
export function bindingSources(folder: string): string {
  const hash = createHash("sha256").update(addonFlags.join(" "));
  for (const file of readdirSync(join(folder, "binding")).sort())
    hash.update(file).update(readFileSync(join(folder, "binding", file)));
  return hash.update(readFileSync(quietSource)).digest("hex");
}

/**
 * Compiles aside and renames. `deps` of the package must lead to libtensorflow.
 *
 * @throws {SandboxError} if there is no compiler, or it fails; a binding that was there before stays.
 */
export async function compileBinding(folder: string, progress: Progress): Promise<void> {
  const { findCompiler, noCompiler, run, firstError } = await loadCompilers();
  const compiler = findCompiler();
  if (!compiler)
    throw new SandboxError(
      `tensorflow: its binding must be compiled, and ${noCompiler().split("; ")[0]}`,
      `Then run the command again; what was fetched is kept. To ${noCompiler().split("; ")[1]}`,
    );
  progress.line(`  compiling the binding (${compiler.version}), ten seconds or so`);
  const target = bindingPath(folder);
  const [aside, quietAside] = [target, quietPath(folder)].map((path) => `${path}.partial-${process.pid}`) as [
    string,
    string,
  ];
  const includes = ["-I..", "-I.", "-Ideps/include", `-I${nodeHeaders()}`];
  const link = ["-Ldeps/lib", "-ltensorflow", "-ltensorflow_framework", "-Wl,-rpath,$ORIGIN/../../deps/lib"];
  mkdirSync(dirname(target), { recursive: true });
  sweep(dirname(target));
  try {
    const args = [...compiler.arguments, ...addonFlags, ...includes, ...sources, ...link, "-o", aside];
    await run(compiler.command, args, folder);
    await compileQuiet(compiler, quietAside);
    renameSync(quietAside, quietPath(folder));
    renameSync(aside, target);
  } catch (error) {
    throw new SandboxError(
      `tensorflow: compiling its binding with ${compiler.command} failed: ${firstError(error as Error)}`,
      "Another compiler can be named by CXX, e.g. CXX=clang++; then run the command again.",
      { cause: error },
    );
  } finally {
    for (const path of [aside, quietAside]) rmSync(path, { force: true });
  }
}

function sweep(folder: string): void {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) if (name.includes(".partial-")) rmSync(join(folder, name), { force: true });
}
