/**
 * @file Compiles the kernels to `native/wasm/softbox.wasm`: `npm run wasm`, for those who change a kernel.
 *
 * Needs clang and lld (Debian: `apt install clang lld`), no C library and no emscripten. The module is part of the
 * repository, so that nobody else needs them; its section `sources` holds a hash of what it was made from, which
 * src/engine/wasm/module.test.ts compares.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const native = dirname(here);

/** The module, where the engine looks for it. */
export const modulePath = join(here, "softbox.wasm");
/** The custom section that holds `sourceHash()`. */
export const hashSection = "sources";

const units = ["variant.cc", "wasm/memory.cc", "wasm/pool.cc", "wasm/wasm.cc"];
/** 64 KiB pages; one less than 4 GiB, so that every address and the end of memory fit 32 bits. */
const maximumPages = 65535;

const flags = [
  ...["--target=wasm32", "-std=c++17", "-O3", "-nostdlibinc", "-I", "wasm/include"],
  ...["-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics", "-fno-math-errno", "-fvisibility=hidden"],
  ...["-ftls-model=local-exec", "-msimd128", "-matomics", "-mbulk-memory", "-mnontrapping-fptoint", "-msign-ext"],
  ...["-mmutable-globals", "-DSOFTBOX_ISA=simd128", "-DSOFTBOX_VECTOR_BYTES=16", "-Wall", "-Wextra"],
];
const linkerFlags = [
  ...["--no-entry", "--import-memory", "--shared-memory", `--max-memory=${maximumPages * 65536}`, "--stack-first"],
  ...["-z", "stack-size=1048576", "--strip-all", "--gc-sections", "-O2"],
  ...["__stack_pointer", "__tls_size", "__wasm_init_tls"].map((name) => `--export=${name}`),
];

/** @returns {string} a hash of every file that the module depends on. */
export function sourceHash() {
  const headers = readdirSync(native).filter((name) => name.endsWith(".h"));
  const files = readdirSync(here, { recursive: true }).filter((name) => /\.(cc|h|mjs)$/.test(String(name)));
  const paths = [...headers, "variant.cc", ...files.map((name) => `wasm/${String(name).replaceAll("\\", "/")}`)];
  const hash = createHash("sha256");
  for (const path of paths.sort()) hash.update(path).update(readFileSync(join(native, path)));
  return hash.digest("hex");
}

/** A WebAssembly custom section: id 0, then lengths in LEB128. */
function customSection(name, text) {
  const leb128 = (n) => (n < 128 ? [n] : [(n & 127) | 128, ...leb128(n >> 7)]);
  const body = Buffer.concat([Buffer.from(leb128(name.length)), Buffer.from(name), Buffer.from(text)]);
  return Buffer.concat([Buffer.from([0, ...leb128(body.length)]), body]);
}

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: native, stdio: "inherit" });
  if (error || status !== 0) throw new Error(`${command} failed${error ? `: ${error.message}` : ""}`);
}

function build() {
  const hash = sourceHash();
  const aside = mkdtempSync(join(here, "work-"));
  const objects = units.map((_, i) => join(aside, `${i}.o`));
  const linked = join(aside, "softbox.wasm");
  try {
    for (const [i, unit] of units.entries())
      run(process.env.CXX ?? "clang++", [...flags, "-c", unit, "-o", objects[i]]);
    // Not by the compiler: it would add what other tools on the machine have to say.
    run(process.env.WASM_LD ?? "wasm-ld", [...linkerFlags, ...objects, "-o", linked]);
    writeFileSync(linked, Buffer.concat([readFileSync(linked), customSection(hashSection, hash)]));
    chmodSync(linked, 0o644);
    renameSync(linked, modulePath);
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  build();
  console.log(`softbox: built ${modulePath}, ${Math.round(readFileSync(modulePath).length / 1024)} KiB`);
}
