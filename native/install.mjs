/**
 * @file Compiles the native engine: `node native/install.mjs`, run by npm's install script.
 *
 * Needs a C++17 compiler and the headers of `node-api-headers`; downloads nothing. Without a compiler it says so in
 * one line, writes the reason to `build/failure.txt` and succeeds: softbox then runs on its other engines.
 */
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const sources = dirname(fileURLToPath(import.meta.url));
/** `SOFTBOX_NATIVE_BUILD` keeps a build of another kind apart, e.g. one with sanitizers. */
const build = process.env.SOFTBOX_NATIVE_BUILD ?? join(sources, "build");
const napiVersion = 8;

/** Where the compiled engine lies for this platform. */
export const addonPath = join(build, `softbox-${process.platform}-${process.arch}-napi${napiVersion}.node`);
/** Why the last attempt failed, one line; absent after success. */
export const failurePath = join(build, "failure.txt");
/** What the compiled engine was built from: a hash of the sources, then the compiler. */
export const stampPath = `${addonPath}.stamp`;

const common = ["-std=c++17", "-O3", "-fPIC", "-ffp-contract=fast", "-fno-math-errno", "-fvisibility=hidden"];
const warnings = ["-Wall", "-Wextra", "-Wno-psabi", "-Wno-unknown-warning-option"];

const avx512 = ["-mavx512f", "-mavx512bw", "-mavx512vl", "-mavx512dq", "-mfma", "-mprefer-vector-width=512"];
/** Adds the instruction set `amxEmulated`, so that what runs on tile registers can be tested without them. */
const emulatesTiles = Boolean(process.env.SOFTBOX_EMULATE_AMX);

/** Instruction sets compiled on this architecture: name, vector bytes, flags. */
const variants = [
  ["portable", 16, []],
  ...(process.arch === "x64"
    ? [
        ["avx2", 32, ["-mavx2", "-mfma"]],
        ["avx512", 64, avx512],
        ["avx512bf16", 64, [...avx512, "-mavx512bf16"]],
        ["amx", 64, [...avx512, "-mavx512bf16", "-mamx-tile", "-mamx-bf16", "-DSOFTBOX_TILES=1"]],
        ...(emulatesTiles
          ? [["amxEmulated", 64, [...avx512, "-mavx512bf16", "-DSOFTBOX_TILES=1", "-DSOFTBOX_TILES_EMULATED"]]]
          : []),
      ]
    : []),
];

/** One compilation each: object name, source, flags. The slowest goes first. */
function units(include) {
  const ofVariant = ([name, bytes, flags]) => ({
    name: `variant-${name}`,
    source: "variant.cc",
    flags: [`-DSOFTBOX_ISA=${name}`, `-DSOFTBOX_VECTOR_BYTES=${bytes}`, ...flags],
  });
  const plain = (name, flags = []) => ({ name, source: `${name}.cc`, flags });
  return [
    ...variants.map(ofVariant).reverse(),
    plain("binding", [
      `-DNAPI_VERSION=${napiVersion}`,
      ...(emulatesTiles ? ["-DSOFTBOX_EMULATE_AMX"] : []),
      "-isystem",
      include,
    ]),
    plain("pool"),
    plain("memory"),
  ];
}

/** Compilers to try: `CXX` alone when it is set. */
const candidates = () => (process.env.CXX ? [process.env.CXX] : ["c++", "g++", "clang++"]);

/** @returns {{command: string, arguments: string[], version: string} | undefined} */
export function findCompiler() {
  for (const candidate of candidates()) {
    const [command, ...rest] = candidate.split(" ").filter(Boolean);
    if (!command) continue;
    const probe = spawnSync(command, [...rest, "--version"], { encoding: "utf8" });
    if (probe.status === 0) return { command, arguments: rest, version: probe.stdout.split("\n")[0].trim() };
  }
  return undefined;
}

/** Why there is none, and what to type. */
export function noCompiler() {
  const tried = process.env.CXX ? `CXX=${process.env.CXX}` : candidates().join(", ");
  return (
    `no C++ compiler was found (tried ${tried}); ` +
    "install one: Debian/Ubuntu `sudo apt install g++`, Fedora `sudo dnf install gcc-c++`, macOS `xcode-select --install`"
  );
}

function sourceHash() {
  const hash = createHash("sha256").update(String(emulatesTiles));
  const names = readdirSync(sources).filter((name) => /\.(cc|h)$|^install\.mjs$/.test(name));
  for (const name of names.sort()) hash.update(name).update(readFileSync(join(sources, name)));
  return hash.digest("hex");
}

/** Whether what lies there was built from other sources than these, as after an update without a new installation. */
export function isStale() {
  return existsSync(stampPath) && readFileSync(stampPath, "utf8").split("\n")[0] !== sourceHash();
}

/** Whether what lies there was built from these sources, by this compiler (by any, where there is none now). */
function isUpToDate(hash, compiler) {
  if (!existsSync(addonPath) || !existsSync(stampPath)) return false;
  const [builtFrom, builtBy] = readFileSync(stampPath, "utf8").split("\n");
  return builtFrom === hash && (!compiler || builtBy === compiler.version);
}

/** Runs a compiler; what it writes to stderr becomes the error's message. */
export function run(command, args, cwd = sources) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, stdio: ["ignore", "ignore", "pipe"] });
    let errors = "";
    child.stderr.on("data", (chunk) => {
      errors += chunk;
    });
    child.on("error", reject);
    child.on("close", (code) =>
      code === 0 ? resolve() : reject(new Error(errors || `${command} ended with ${code}`)),
    );
  });
}

/** Runs the jobs two at a time, in order. */
async function inPairs(jobs) {
  const queue = [...jobs];
  const worker = async () => {
    for (let job = queue.shift(); job; job = queue.shift()) await job();
  };
  await Promise.all([worker(), worker()]);
}

async function compileTo(folder, compiler) {
  const include = join(dirname(createRequire(import.meta.url).resolve("node-api-headers/package.json")), "include");
  const jobs = units(include);
  const object = (unit) => join(folder, `${unit.name}.o`);
  const compile = (unit) => () =>
    run(compiler.command, [
      ...compiler.arguments,
      ...common,
      ...warnings,
      ...unit.flags,
      "-c",
      unit.source,
      "-o",
      object(unit),
    ]);
  await inPairs(jobs.map(compile));
  const link =
    process.platform === "darwin" ? ["-undefined", "dynamic_lookup"] : ["-pthread", "-ldl", "-static-libgcc"];
  const linked = join(folder, "softbox.node");
  await run(compiler.command, [...compiler.arguments, "-shared", "-O3", ...jobs.map(object), "-o", linked, ...link]);
  return linked;
}

/** The compiler's first error, on one line. */
export function firstError(error) {
  const lines = String(error.message).split("\n");
  return (lines.find((line) => /error/i.test(line)) ?? lines[0]).trim();
}

/** Records why there is no engine; one that was built from other sources does not stay. */
function fail(reason) {
  mkdirSync(build, { recursive: true });
  rmSync(addonPath, { force: true });
  writeFileSync(failurePath, `${reason}\n`);
  return { built: false, reason };
}

function succeed() {
  rmSync(failurePath, { force: true });
  return { built: true };
}

/**
 * Compiles the engine unless it is up to date. Works aside and renames, so that concurrent builds do not disturb
 * each other.
 *
 * @param {(line: string) => void} onLine - progress, a line at a time.
 * @returns {Promise<{built: boolean, reason?: string}>} `reason` when there is no engine afterwards.
 */
export async function compileEngine(onLine = () => {}) {
  if (process.platform === "win32")
    return fail("the native engine does not support Windows yet; softbox uses its other engines");
  const compiler = findCompiler();
  const hash = sourceHash();
  // A compiler that was named and is not there is an answer; one that has gone since leaves the engine as it is.
  if (isUpToDate(hash, compiler) && (compiler || !process.env.CXX)) return succeed();
  if (!compiler) return fail(noCompiler());
  onLine(`compiling the native engine (${compiler.version}), once, half a minute or so`);
  const started = Date.now();
  const aside = join(build, `work-${process.pid}-${started}`);
  mkdirSync(aside, { recursive: true });
  try {
    renameSync(await compileTo(aside, compiler), addonPath);
    writeFileSync(join(aside, "stamp"), `${hash}\n${compiler.version}\n`);
    renameSync(join(aside, "stamp"), stampPath);
    onLine(`compiled the native engine in ${Math.round((Date.now() - started) / 1000)} s`);
    return succeed();
  } catch (error) {
    return fail(`compiling with ${compiler.command} failed: ${firstError(error)}`);
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const print = (line) => console.log(`softbox: ${line}`);
  const { built, reason } = await compileEngine(print);
  if (!built) print(`the native engine is not available: ${reason}`);
}
