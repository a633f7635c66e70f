// The engine webgpu as a user has it: a job that trains, resumes and writes, and what happens when the device goes.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { defaultCacheFolder } from "../../src/engine/cacheFolder.ts";
import { softbox, tinyFlags } from "../support/cli.ts";
import { webgpuIsMissing } from "../support/engines.ts";
import { temporaryFolder, writeSmallText } from "../support/folders.ts";
import { expectInside, expectRestored } from "../tui/playWindow.ts";
import { openWindow } from "../tui/window.ts";

const folder = temporaryFolder();
writeSmallText(folder);
const flags = [...tinyFlags, "--engine", "webgpu"];
const built = (path: string): string => JSON.stringify(new URL(`../../dist/${path}`, import.meta.url).href);

if (webgpuIsMissing)
  test("whoever names it is told what to type, or which driver is wanted", async () => {
    console.warn(`webgpu: no job is run here: ${webgpuIsMissing}`);
    const { code, err } = await softbox(folder, ["train", ...flags, "--steps", "2"]);
    expect(code).toBe(1);
    expect(err).toMatch(/^error: engine webgpu: .*\nhint: (npm run webgpu|It wants )/m);
  });
else {
  mkdirSync(join(folder, "cache"), { recursive: true });
  symlinkSync(join(defaultCacheFolder(), "webgpu"), join(folder, "cache/webgpu"));

  test("it trains, resumes and writes, and Dawn says nothing", { timeout: 120_000 }, async () => {
    const trained = await softbox(folder, ["train", ...flags, "--steps", "4", "--run", "short"]);
    expect([trained.code, trained.err]).toEqual([0, ""]);
    expect(trained.out).toMatch(/^engine: webgpu \(.+\)$/m);
    const resumed = await softbox(folder, ["train", "--resume", "short", "--steps", "6", "--engine", "webgpu"]);
    expect([resumed.code, resumed.err]).toEqual([0, ""]);
    expect(resumed.out).toContain("step 6/6");
    expect(existsSync(join(folder, "short/step-000006/manifest.json"))).toBe(true);
    const written = await softbox(folder, ["generate", "short", "--tokens", "12", "--engine", "webgpu", "--json"]);
    expect([written.code, JSON.parse(written.out.trim().split("\n").at(-1)!)]).toEqual([0, expect.anything()]);
  });

  test("a navigator that cannot be set, as Node has from 21 on, is no obstacle", async () => {
    const hook = join(folder, "navigator.mjs");
    writeFileSync(hook, 'Object.defineProperty(globalThis, "navigator", { get: () => ({}), configurable: true });');
    const args = ["generate", "short", "--tokens", "1", "--engine", "webgpu"];
    const { code, err } = await softbox(folder, args, { NODE_OPTIONS: `--import ${hook}` });
    expect([code, err]).toEqual([0, ""]);
  });

  test("play shows its distributions, and leaves the terminal as it was", { timeout: 120_000 }, async () => {
    const args = JSON.stringify(["play", join(folder, "short"), "--prompt", "the ", "--engine", "webgpu"]);
    const window = openWindow("softbox.mjs", {
      columns: 80,
      rows: 24,
      env: { ARGS: args, SOFTBOX_CACHE: join(folder, "cache") },
    });
    onTestFinished(() => window.end());
    await window.until(/▸ 1 \d\.\d{4}/, 60_000);
    window.type(" ");
    await window.until(/text · 5 tokens/, 20_000);
    expectInside(window, 80, 24);
    window.type("q");
    await expectRestored(window);
  });

  test("a device that goes ends the run with one line, and its last checkpoint is whole", {
    timeout: 120_000,
  }, async () => {
    const hook = join(folder, "destroy.mjs");
    writeFileSync(
      hook,
      `import { existsSync } from "node:fs";
      const { loadWebgpu } = await import(${built("engine/webgpu/load.js")});
      const { device } = await loadWebgpu();
      const timer = setInterval(() => {
        if (!existsSync("gone/step-000002/manifest.json")) return;
        clearInterval(timer);
        device.destroy();
      }, 5);`,
    );
    const set = ["--set", "training.checkpointEvery=2", "--steps", "200", "--run", "gone"];
    const ended = await softbox(folder, ["train", ...flags, ...set], { NODE_OPTIONS: `--import ${hook}` });
    expect(ended.code).toBe(1);
    expect(ended.err).toMatch(/^error: engine webgpu: the device is gone: .*\nhint: .*--resume <run>.*\n$/);
    const resumed = await softbox(folder, ["train", "--resume", "gone", "--steps", "3", "--engine", "native"]);
    expect([resumed.code, resumed.out]).toEqual([0, expect.stringMatching(/resuming at step \d+/)]);
  });

  test("bfloat16 is refused", async () => {
    const { code, err } = await softbox(folder, ["train", ...flags, "--precision", "bfloat16", "--steps", "2"]);
    expect([code, err]).toEqual([1, expect.stringMatching(/^error: engine webgpu: it computes in float32 only/)]);
  });

  test("an array that the device cannot hold, and one read with dataSync, are errors that say so; one refused by Dawn is told where numbers are read; nothing is global", () => {
    const script = `
    const { useEngine } = await import(${built("index.js")});
    const tf = (await import("@tensorflow/tfjs")).default;
    const { name } = await useEngine("webgpu");
    console.log(name, "gpu" in (globalThis.navigator ?? {}), "GPUBuffer" in globalThis);
    const { device } = tf.backend();
    const most = device.limits.maxStorageBufferBindingSize / 4;
    try { await tf.sum(tf.zeros([2, most])).data(); } catch (error) { console.log(error.name, error.message); }
    try { tf.matMul(tf.ones([2, 2]), tf.ones([2, 2])).dataSync(); } catch (error) { console.log(error.message); }
    console.log(...await tf.addN(Array.from({ length: 40 }, (_, i) => tf.tensor1d([i, 1]))).data());
    device.createBuffer({ size: 64, usage: 65535 });
    try { await tf.matMul(tf.ones([2, 2]), tf.ones([2, 2])).data(); } catch (error) { console.log(error.message.split("\\n")[0]); }
    process.exit(0);`;
    const root = fileURLToPath(new URL("../..", import.meta.url));
    const said = execFileSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8", cwd: root });
    expect(said.split("\n")).toEqual([
      "webgpu false false",
      expect.stringMatching(
        /^SandboxError engine webgpu: an array of shape \[2, \d+\] takes \d+ MB, and the most .* is \d+ MB$/,
      ),
      expect.stringContaining("are read by `await tensor.data()`"),
      "780 40",
      expect.stringMatching(/^webgpu: .*65535/),
      "",
    ]);
  });
}
