// `softbox doctor --install tensorflow` against an index and a library of the test's own: killed, cut off, cheated, without a compiler.
import { execFileSync, spawn } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createRandomStream, randomKey } from "../../src/engine/random.ts";
import { environment, softboxAt } from "../support/cli.ts";
import { temporaryFolder } from "../support/folders.ts";
import { startIndex, type TestIndex } from "../support/packageIndex.ts";
import { wheelOf } from "../support/wheel.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const home = temporaryFolder();
const project = join(home, "project");
const program = join(project, "bin/softbox.js");
const fakePackage = join(project, "node_modules/@tensorflow/tfjs-node-gpu");
const wheelName = "tensorflow_cpu-2.21.0-cp311-cp311-manylinux_2_27_x86_64.whl".replace(
  "x86_64",
  process.arch === "arm64" ? "aarch64" : "x86_64",
);
let index: TestIndex;
let wheel: Buffer;

/** softbox as it is built, beside a package whose binding is small: it stands on tfjs's cpu kernels. */
function makeProject(): void {
  for (const part of ["bin", "dist", "package.json", "native/install.mjs", "native/quiet"])
    cpSync(join(root, part), join(project, part), { recursive: true });
  mkdirSync(join(project, "node_modules/@tensorflow"), { recursive: true });
  const modules = join(root, "node_modules");
  for (const name of readdirSync(modules)) if (name !== "@tensorflow" && !name.startsWith(".")) link(modules, name);
  for (const name of readdirSync(join(modules, "@tensorflow")))
    if (name !== "tfjs-node-gpu") link(modules, `@tensorflow/${name}`);
  mkdirSync(join(fakePackage, "binding"), { recursive: true });
  writeFileSync(
    join(fakePackage, "package.json"),
    JSON.stringify({ name: "@tensorflow/tfjs-node-gpu", main: "index.js" }),
  );
  writeFileSync(
    join(fakePackage, "binding/tfjs_backend.cc"),
    `#include "tensorflow/c/c_api.h"\n#include <node_api.h>
napi_value version(napi_env env) { napi_value v; napi_create_string_utf8(env, TF_Version(), NAPI_AUTO_LENGTH, &v); return v; }`,
  );
  writeFileSync(
    join(fakePackage, "binding/tfjs_binding.cc"),
    `#include <node_api.h>\nnapi_value version(napi_env env);
NAPI_MODULE_INIT() { napi_set_named_property(env, exports, "TF_Version", version(env)); return exports; }`,
  );
  writeFileSync(
    join(fakePackage, "index.js"),
    `const tf = require("@tensorflow/tfjs");
const binding = require("./lib/napi-v8/tfjs_binding.node");
const Cpu = tf.engine().findBackend("cpu").constructor;
class Backend extends Cpu { isUsingGpuDevice = false; binding = binding; }
tf.registerBackend("tensorflow", () => new Backend());
tf.copyRegisteredKernels("cpu", "tensorflow");
tf.setBackend("tensorflow");`,
  );
}

const link = (modules: string, name: string): void =>
  symlinkSync(join(modules, name), join(project, "node_modules", name));

/** What TensorFlow's wheel holds: a library of one function, and what is not needed. */
function makeFiles(): Record<string, Buffer | string> {
  const compile = (name: string, source: string): Buffer => {
    const [file, result] = [`${name}.cc`, name].map((x) => join(project, x)) as [string, string];
    writeFileSync(file, source);
    execFileSync("c++", ["-shared", "-fPIC", `-Wl,-soname,${name}`, "-o", result, file]);
    return readFileSync(result);
  };
  const version = 'extern "C" const char* TF_Version() { return "2.21.0"; }';
  const random = createRandomStream(randomKey(1, "padding"));
  return {
    "tensorflow/libtensorflow_cc.so.2": compile("libtensorflow_cc.so.2", version),
    "tensorflow/libtensorflow_framework.so.2": compile("libtensorflow_framework.so.2", "int framework;"),
    "tensorflow/include/tensorflow/c/c_api.h": 'extern "C" const char* TF_Version();',
    "tensorflow/python/not_needed.py": "raise SystemExit",
    "tensorflow/padding": Buffer.from(Uint8Array.from({ length: 300_000 }, () => random.below(256))),
  };
}

beforeAll(async () => {
  makeProject();
  const files = makeFiles();
  wheel = wheelOf("tensorflow_cpu", "2.21.0", files);
  const needs = [
    'Requires-Dist: nvidia-cublas-cu12<13.0,>=12.5.3.2; extra == "and-cuda"',
    "Requires-Dist: numpy>=1.26.0",
  ];
  const cublas = (version: string): Buffer =>
    wheelOf("nvidia_cublas_cu12", version, {
      "nvidia/cublas/lib/libcublas.so.12": version,
      "nvidia/cublas/include/x.h": "",
    });
  index = await startIndex();
  index.wheels.set(wheelName, wheel);
  index.wheels.set(wheelName.replace("_cpu", ""), wheelOf("tensorflow", "2.21.0", files, needs));
  for (const version of ["12.4.0", "12.9.3.13", "13.0.1", "12.10.0rc1"])
    index.wheels.set(`nvidia_cublas_cu12-${version}-py3-none-manylinux_2_27_x86_64.whl`, cublas(version));
});
afterAll(() => index.close());

/** A cache of its own for each test. */
let cache: string;
let tests = 0;
beforeEach(() => {
  cache = join(home, `cache-${tests++}`);
  Object.assign(index, { fault: "none", delay: 0 });
  index.asked.length = 0;
});

const variables = (): NodeJS.ProcessEnv => ({ SOFTBOX_CACHE: cache, PIP_INDEX_URL: index.url, npm_execpath: "" });
const doctor = (args: readonly string[], more: NodeJS.ProcessEnv = {}) =>
  softboxAt(program, home, ["doctor", ...args], { ...variables(), ...more });
const install = (args: readonly string[] = [], more: NodeJS.ProcessEnv = {}) =>
  doctor(["--install", "tensorflow", ...args], more);

/** Everything in the cache, so that leftovers show. */
const inCache = (): string[] => (existsSync(cache) ? (readdirSync(cache, { recursive: true }) as string[]).sort() : []);
const library = "libtensorflow/2.21.0-cpu";
const whole = [
  "downloads",
  "libtensorflow",
  library,
  ...["include", "include/tensorflow", "include/tensorflow/c", "include/tensorflow/c/c_api.h"].map(
    (x) => `${library}/${x}`,
  ),
  `${library}/lib`,
  ...["", "_cc", "_framework"].map((x) => `${library}/lib/libtensorflow${x}.so${x === "" ? "" : ".2"}`),
  ...[".so.2", ".so.2.9.1", "_framework.so"].map((x) => `${library}/lib/libtensorflow${x}`),
  `${library}/manifest.json`,
].sort();

describe("installing TensorFlow", () => {
  test("one command does it, a second finds all in place, --remove takes it back", async () => {
    const first = await install();
    expect([first.code, first.err]).toEqual([0, ""]);
    expect(first.out).toMatch(
      /SHA-256 as the index says[\s\S]*tensorflow \(libtensorflow 2\.21\.0, CPU\): .* GFLOP\/s/,
    );
    expect(first.out).toMatch(/\nReady: --engine tensorflow\n$/);
    expect(inCache()).toEqual(whole);
    const second = await install();
    expect([second.code, second.out.split("\n").at(-2)]).toEqual([0, "Everything was in place."]);
    expect(index.asked).toEqual([""]);
    const removed = await doctor(["--remove", "tensorflow"]);
    expect([removed.code, inCache(), existsSync(join(fakePackage, "deps"))]).toEqual([0, [], false]);
    expect((await doctor(["--remove", "tensorflow"])).out).toBe("There is nothing to remove.\n");
  });

  test("what a broken connection brought is kept, and the rest alone is asked for", async () => {
    index.fault = "cut once";
    index.delay = 5;
    const { code, out } = await install();
    expect([code, index.asked.length, index.asked[0]]).toEqual([0, 2, ""]);
    expect(index.asked[1]).toMatch(/^bytes=[1-9]\d*-$/);
    expect(out).toContain("SHA-256 as the index says");
  });

  test("an altered file is refused and removed; the next run fetches it anew", async () => {
    index.fault = "altered";
    const { code, err } = await install();
    expect(code).toBe(1);
    expect(err).toMatch(
      /^error: tensorflow_cpu-.*: its SHA-256 must be [0-9a-f]{64}, got [0-9a-f]{64}; the file was removed\nhint: /,
    );
    expect(inCache()).toEqual(["downloads"]);
    index.fault = "html"; // an index of the older form, while we are here
    expect((await install()).code).toBe(0);
  });

  test("where the index gives no hash, the wheel's own list tells of an altered file", async () => {
    const path = join(home, wheelName);
    const altered = Buffer.from(wheel);
    const at = altered.indexOf("PK\x03\x04") + 30 + "tensorflow/libtensorflow_cc.so.2".length + 100;
    altered[at]! ^= 1;
    writeFileSync(path, altered);
    const { code, err } = await install(["--from", path]);
    expect([code, inCache()]).toEqual([1, ["libtensorflow"]]);
    expect(err).toMatch(/^error: tensorflow_cpu-.*: it is no whole wheel: .*\nhint: Fetch it again/);
    writeFileSync(path, wheel.subarray(0, wheel.length >> 1));
    expect((await install(["--from", path])).err).toMatch(/^error: tensorflow_cpu-.*: it is no whole wheel: /);
    writeFileSync(path, wheel);
    expect((await install(["--from", home])).code).toBe(0); // a folder of wheels
    expect(index.asked).toEqual([]);
  });

  const cuda = "with --cuda NVIDIA's libraries that the metadata name lie where the library looks for them";
  if (process.arch === "x64")
    test(cuda, async () => {
      const { code, err } = await install(["--cuda"]);
      expect([code, err]).toEqual([0, ""]);
      const nvidia = join(fakePackage, "deps/lib/../nvidia");
      expect(readdirSync(nvidia, { recursive: true }).sort()).toEqual([
        "cublas",
        "cublas/lib",
        "cublas/lib/libcublas.so.12",
      ]);
      expect(readFileSync(join(nvidia, "cublas/lib/libcublas.so.12"), "utf8")).toBe("12.9.3.13");
      expect(JSON.parse(readFileSync(join(fakePackage, "deps/manifest.json"), "utf8"))).toMatchObject({
        build: "cuda",
      });
    });

  test("without a compiler it says so; what was fetched stays, and with one the next run goes on", async () => {
    await doctor(["--remove", "tensorflow"]);
    const { code, err } = await install([], { CXX: "/nonexistent/c++" });
    expect(code).toBe(1);
    expect(err).toMatch(
      /^error: tensorflow: its binding must be compiled, and no C\+\+ compiler was found \(tried CXX=.*\nhint: .*apt install g\+\+/,
    );
    expect((await install()).code).toBe(0);
    expect(index.asked).toEqual([""]);
  });

  test("without a network, with an index that lacks it, or none at all, it says what to do", async () => {
    const nowhere = await install(["--index", "http://127.0.0.1:9/simple"]);
    expect([nowhere.code, inCache()]).toEqual([1, []]);
    expect(nowhere.err).toMatch(
      /^error: http:\/\/127\.0\.0\.1:9\/simple\/tensorflow.*: cannot be read: .*\nhint: Is there a network\?.*--from <wheel>/,
    );
    const lacking = await install(["--index", new URL("../other/", index.url).href, "--cuda"]);
    expect(lacking.err).toMatch(/^error: .*: the server answers 404.*\nhint: /);
    const wrong = await install(["--index", "ftp://x"]);
    expect(wrong.err).toMatch(/^error: package index \(--index\): expected an address that begins with http/);
    const none = await install([], { PIP_INDEX_URL: "", PATH: "/nonexistent" });
    expect(none.err).toMatch(
      /^error: package index: none is known, for there is no pip to ask\nhint: Name one: --index/,
    );
  });

  test("where npm left the package out, npm is asked for it alone, without its install script; what npm says against it is told", async () => {
    await doctor(["--remove", "tensorflow"]);
    const [bin, kept] = [join(home, "bin"), join(home, "kept")];
    mkdirSync(bin, { recursive: true });
    renameSync(fakePackage, kept);
    const npm = (script: string): void => writeFileSync(join(bin, "npm"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    // The packages beside it are links, which would lead softbox to the folder that they lie in.
    const env = { PATH: `${bin}:${process.env.PATH}`, NODE_OPTIONS: "--preserve-symlinks" };
    npm("echo npm error code E404 >&2; echo npm error 404 Not Found >&2; exit 1");
    const refused = await install([], env);
    expect([refused.code, inCache()]).toEqual([1, []]);
    expect(refused.err).toMatch(
      /^error: @tensorflow\/tfjs-node-gpu: npm cannot install it: 404 Not Found\nhint: Is there a network, /,
    );
    npm(`echo "$PWD $@" > ${home}/asked; cp -R ${kept} node_modules/@tensorflow/tfjs-node-gpu`);
    const { code, err } = await install([], env);
    expect([code, err]).toEqual([0, ""]);
    expect(readFileSync(join(home, "asked"), "utf8")).toMatch(
      new RegExp(`^${project} install --no-save @tensorflow/tfjs-node-gpu@4\\.22\\.0 --ignore-scripts `),
    );
  });

  test("killed at any moment, it goes on at the next run, and leaves nothing behind", {
    timeout: 120_000,
  }, async () => {
    await doctor(["--remove", "tensorflow"]);
    index.delay = 40; // a download of 0.8 s, so that some kills meet it
    const random = createRandomStream(randomKey(4, "kills"));
    for (let kill = 0; kill < 4; kill++) {
      const child = spawn(process.execPath, [program, "doctor", "--install", "tensorflow"], {
        cwd: home,
        env: { ...environment(home), ...variables() },
        stdio: "ignore",
      });
      const ended = new Promise((resolve) => child.on("close", resolve));
      const timer = setTimeout(() => child.kill("SIGKILL"), 300 + random.below(2500));
      await ended;
      clearTimeout(timer);
    }
    index.delay = 0;
    const { code, err } = await install();
    expect([code, err, inCache()]).toEqual([0, "", whole]);
    expect(readdirSync(fakePackage).sort()).toEqual(["binding", "deps", "index.js", "lib", "package.json"]);
    expect(readdirSync(join(fakePackage, "lib/napi-v8")).sort()).toEqual([
      "quiet.node",
      "softbox.json",
      "tfjs_binding.node",
    ]);
  });
});
