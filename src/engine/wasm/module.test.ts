/** @file The WebAssembly module: made from today's sources, memory that grows, threads that come and go. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { packageRoot } from "../packageRoot.ts";
import { loadWasm } from "./addon.ts";
import { compileModule, createModule } from "./module.ts";

/** native/wasm/build.mjs as seen from here. */
interface Build {
  sourceHash(): string;
  readonly hashSection: string;
}

test("the module was made from the sources beside it", async () => {
  const path = pathToFileURL(join(packageRoot(), "native/wasm/build.mjs")).href;
  const { sourceHash, hashSection } = (await import(path)) as Build;
  const sections = WebAssembly.Module.customSections(compileModule(), hashSection);
  const madeFrom = Buffer.from(sections[0] ?? new ArrayBuffer(0)).toString();
  expect(madeFrom, "native/wasm/softbox.wasm is older than its sources: run `npm run wasm` and commit it").toBe(
    sourceHash(),
  );
});

const megabyte = 2 ** 20;

test("arrays stay valid when the memory grows, and freed memory is used again", () => {
  const module = createModule();
  const blocks = Array.from({ length: 300 }, (_, i) => module.allocate(megabyte).fill(i % 251));
  expect(new Set(blocks.map((block) => block.buffer)).size).toBeGreaterThan(1); // it did grow
  expect(blocks.every((block, i) => block[0] === i % 251 && block.at(-1) === i % 251)).toBe(true);
  expect(blocks.every((block) => module.holds(block))).toBe(true);
  expect(module.holds(new Uint8Array(8))).toBe(false);
  const { byteOffset } = blocks[0]!;
  for (const block of blocks) module.release(block);
  expect(module.allocate(300 * megabyte).byteOffset).toBe(byteOffset); // neighbours were joined
});

test("memory that is used up is an error that says so, and leaves the engine usable", () => {
  const module = createModule();
  const blocks: Uint8Array[] = [];
  const fill = () => {
    for (;;) blocks.push(module.allocate(200 * megabyte));
  };
  expect(fill).toThrow("memory of 4 GiB is used up; 200 MiB more are needed");
  expect(blocks.length).toBeGreaterThan(18);
  module.release(blocks.pop()!);
  expect(module.allocate(100 * megabyte).byteLength).toBe(100 * megabyte);
});

test("kernels work on addresses that 31 bits do not hold", () => {
  const { addon, store } = loadWasm();
  const blocks = Array.from({ length: 12 }, () => store.allocate(200 * megabyte));
  const [last, before] = [blocks.at(-1)!, blocks.at(-2)!].map(
    (block) => new Float32Array(block.buffer, block.byteOffset, 99),
  );
  expect(last!.byteOffset).toBeGreaterThan(2 ** 31);
  addon.matmul(before!.fill(2), Float32Array.of(3), last!, 99, 1, 1, false, false, null, 0, 1, 0, 0);
  expect(last!.every((x) => x === 6)).toBe(true);
  for (const block of blocks) store.release!(block);
});

test("a kernel that finds no memory for its scratch leaves the engine usable", () => {
  const { addon } = loadWasm();
  // One token, but 2^31 vocabulary tiles: the partial sums alone are more than there is.
  const none = new Float32Array(0);
  const tooLarge = () =>
    addon.linearLogSumExp(none, none, null, new Int32Array(0), none, none, null, 1, 1, 2 ** 40, 0, 0);
  expect(tooLarge).toThrow("memory of 4 GiB is used up");
  const y = new Float32Array(3);
  addon.unary(7, Float32Array.of(1, 2, 3), y, 3);
  expect([...y]).toEqual([-1, -2, -3]);
});

test("arrays that lie elsewhere may be given more than once, and in place", () => {
  const { addon } = loadWasm();
  const x = Float32Array.of(1, 2, 3);
  addon.binary(2, x, 0, 1, x, 0, 1, x, 1, 3);
  expect([...x]).toEqual([1, 4, 9]);
});

/** Multiplies on three threads in a process of its own; `body` goes on from there. */
function runProgram(body: string): Promise<{ code: number | null; output: string }> {
  const engine = pathToFileURL(join(packageRoot(), "dist/engine/wasm/addon.js")).href;
  const program = `
    import { Worker } from "node:worker_threads";
    const work = async () => {
      const { loadWasm } = await import(${JSON.stringify(engine)});
      const { addon } = loadWasm();
      addon.setThreads(3);
      const n = 200, a = new Float32Array(n * n).map((_, i) => (i % 7) - 3), c = new Float32Array(n * n);
      const until = Date.now() + 300;
      do addon.matmul(a, a, c, n, n, n, false, true, null, 0, 1, 0, 0); while (Date.now() < until);
      return c.reduce((x, y) => x + y, 0);
    };
    ${body}`;
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ["--input-type=module", "-e", program]);
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk) => {
        output += chunk;
      });
    child.on("close", (code) => resolve({ code, output: output.trim() }));
  });
}

const inWorker = `
  const source = "(" + String(async () => {
    const { parentPort } = await import("node:worker_threads");
    for (;;) parentPort.postMessage(await WORK());
  }).replace("WORK", "(" + String(work) + ")") + ")()";
  const workers = [1, 2].map(() => new Worker(source, { eval: true }));
  const sums = await Promise.all(workers.map((worker) => new Promise((done, fail) => {
    worker.once("message", done);
    worker.once("error", fail);
  })));
  sums.push(await work());
  await Promise.all(workers.map((worker) => worker.terminate()));
  console.log(new Set(sums).size);`;

test.each([
  ["a process ends by itself, threads or not", "await work(); console.log(1);"],
  ["process.exit ends threads", "await work(); console.log(1); process.exit();"],
  ["workers each have an engine of their own, and may be ended at any time", inWorker],
])("%s", async (_, body) => {
  expect(await runProgram(body)).toEqual({ code: 0, output: "1" });
});
