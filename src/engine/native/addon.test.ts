/** @file Compiling and loading the engine: no compiler, two builds at once, worker threads that come and go. */
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { afterAll, expect, test } from "vitest";
import { loadAddon, nativeStatus } from "./addon.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "../../..");
const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A copy of native/ without anything built. */
function freshSources(): string {
  const folder = mkdtempSync(join(tmpdir(), "softbox-native-"));
  folders.push(folder);
  mkdirSync(join(folder, "native"));
  for (const name of readdirSync(join(root, "native")).filter((file) => /\.(cc|h|mjs)$/.test(file)))
    cpSync(join(root, "native", name), join(folder, "native", name));
  return folder;
}

function run(command: string, args: string[], environment: NodeJS.ProcessEnv = {}) {
  return new Promise<{ code: number | null; output: string }>((resolve) => {
    const child = spawn(command, args, { env: { ...process.env, ...environment } });
    let output = "";
    child.stdout.on("data", (chunk) => {
      output += chunk;
    });
    child.stderr.on("data", (chunk) => {
      output += chunk;
    });
    child.on("close", (code) => resolve({ code, output }));
  });
}

test("without a compiler, installing succeeds, names what to install in one line, and keeps the reason", async () => {
  const folder = freshSources();
  const install = () => run(process.execPath, [join(folder, "native/install.mjs")], { CXX: "/nonexistent" });
  const { code, output } = await install();
  expect(code).toBe(0);
  expect(output.trim().split("\n")).toHaveLength(1);
  expect(output).toContain("apt install g++");
  expect(readFileSync(join(folder, "native/build/failure.txt"), "utf8")).toContain("CXX=/nonexistent");
});

test("a compiler that fails leaves a reason and nothing half built", async () => {
  const folder = freshSources();
  const compiler = join(folder, "broken-compiler");
  writeFileSync(
    compiler,
    '#!/bin/sh\n[ "$1" = --version ] && echo broken 1.0 && exit 0\necho "error: no space left" >&2\nexit 1\n',
    {
      mode: 0o755,
    },
  );
  cpSync(join(root, "node_modules/node-api-headers"), join(folder, "node_modules/node-api-headers"), {
    recursive: true,
  });
  const { code, output } = await run(process.execPath, [join(folder, "native/install.mjs")], { CXX: compiler });
  expect(code).toBe(0);
  expect(output).toContain("no space left");
  expect(readdirSync(join(folder, "native/build"))).toEqual(["failure.txt"]);
});

test("an engine of other sources is known as one, compiled anew, and never stays where that fails", async () => {
  const isStale = (folder: string, more = "") =>
    run(
      process.execPath,
      [
        "-e",
        `import(${JSON.stringify(join(folder, "native/install.mjs"))}).then(async (i) => {
      console.log(i.isStale());${more} })`,
      ],
      { CXX: "/nonexistent" },
    );
  expect((await isStale(root)).output.trim()).toBe("false");
  const folder = freshSources();
  cpSync(join(root, "native/build"), join(folder, "native/build"), { recursive: true });
  expect((await isStale(folder)).output.trim()).toBe("false");
  writeFileSync(join(folder, "native/pool.h"), "// an update\n");
  const { output } = await isStale(folder, "console.log((await i.compileEngine()).built)");
  expect(output.trim().split("\n")).toEqual(["true", "false"]);
  expect(readdirSync(join(folder, "native/build")).filter((name) => name.endsWith(".node"))).toEqual([]);
});

test("the status names the instruction sets and the one in use", () => {
  const status = nativeStatus();
  expect(status.usable && status.instructions).toContain("portable");
  expect(status.usable && status.instructions).toContain(status.usable && status.chosen);
});

test("an instruction set that no CPU has is refused", () => {
  expect(() => loadAddon().setInstructionSet("sse9" as "avx2")).toThrow('no instruction set "sse9"');
});

/** Multiplies in a loop, in a thread of its own, and posts a checksum after each product. */
const workerSource = (path: string) => `
  const { parentPort } = require("node:worker_threads");
  const addon = require(${JSON.stringify(path)});
  const n = 200;
  const a = new Float32Array(n * n).map((_, i) => (i % 7) - 3);
  const next = () => {
    const c = new Float32Array(n * n);
    addon.matmul(a, a, c, n, n, n, false, true, null, 0, 1, 0, 0);
    parentPort.postMessage(c.reduce((x, y) => x + y, 0));
    setImmediate(next);
  };
  next();`;

test("worker threads use the engine at once, agree, and may be ended at any time", async () => {
  const build = join(root, "native/build");
  const path = join(build, readdirSync(build).find((name) => name.endsWith(".node"))!);
  expect(existsSync(path)).toBe(true);
  const sums = new Set<number>();
  const workers = Array.from({ length: 3 }, () => new Worker(workerSource(path), { eval: true }));
  for (const worker of workers) worker.on("message", (sum) => sums.add(sum));
  await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once("message", resolve))));
  await new Promise((resolve) => setTimeout(resolve, 100));
  await Promise.all(workers.map((worker) => worker.terminate()));
  expect(sums.size).toBe(1);
});

test("a process whose only user of the engine was a worker ends cleanly", async () => {
  const path = join(
    root,
    "native/build",
    readdirSync(join(root, "native/build")).find((name) => name.endsWith(".node"))!,
  );
  const program = `
    const { Worker } = require("node:worker_threads");
    const worker = new Worker(${JSON.stringify(`require(${JSON.stringify(path)}).setThreads(3);${workerSource(path)}`)}, { eval: true });
    worker.once("message", async () => { await worker.terminate(); setTimeout(() => console.log("ended"), 50); });`;
  const { code, output } = await run(process.execPath, ["-e", program]);
  expect({ code, output: output.trim() }).toEqual({ code: 0, output: "ended" });
});
