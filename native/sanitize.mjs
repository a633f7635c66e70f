/**
 * @file `npm run sanitize`: the kernels' own tests over a build with AddressSanitizer and UndefinedBehaviorSanitizer, and the
 * thread pool under ThreadSanitizer. Takes some minutes; not part of `npm test`. Linux with g++.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const native = dirname(fileURLToPath(import.meta.url));
const root = dirname(native);
const compiler = process.env.CXX ?? "g++";
const folder = mkdtempSync(join(tmpdir(), "softbox-sanitize-"));

/** Runs a program in the project's folder; its output goes to the terminal. */
function run(what, command, args, env = {}) {
  console.log(`\n${what}`);
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: "inherit", env: { ...process.env, ...env } });
  if (error) console.error(error.message);
  return status === 0;
}

/** Where the compiler keeps a sanitizer's library, which must be loaded before Node. */
const libraryOf = (name) =>
  spawnSync(compiler, [`-print-file-name=${name}`], { encoding: "utf8" }).stdout?.trim() ?? name;

function checkMemory() {
  const build = { SOFTBOX_NATIVE_BUILD: join(folder, "build") };
  const flags = "-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -g1";
  const compiled = run(
    "compiling with address and undefined behaviour checks",
    process.execPath,
    ["native/install.mjs"],
    {
      ...build,
      CXX: `${compiler} ${flags}`,
    },
  );
  const tests = ["vitest", "run", "src/engine/native/", "--exclude", "**/addon.test.ts"];
  return (
    compiled &&
    run("the native engine's tests", "npx", tests, {
      ...build,
      LD_PRELOAD: [libraryOf("libasan.so"), libraryOf("libubsan.so")].join(":"),
      ASAN_OPTIONS: "detect_leaks=0", // Node itself leaves memory to the system at exit
    })
  );
}

function checkThreads() {
  const program = join(folder, "pool");
  const sources = ["native/test/pool.cc", "native/pool.cc", "native/memory.cc"];
  const flags = ["-std=c++17", "-O1", "-g", "-fsanitize=thread", "-pthread"];
  return (
    run("compiling the pool with race checks", compiler, [...flags, ...sources, "-o", program]) &&
    run("the pool", program, [])
  );
}

const good = [checkThreads(), checkMemory()].every(Boolean);
rmSync(folder, { recursive: true, force: true });
console.log(good ? "\nnothing found" : "\nSOMETHING WAS FOUND, see above");
process.exitCode = good ? 0 : 1;
