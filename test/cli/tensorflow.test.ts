// The engine tensorflow as a user has it: a job that trains, resumes and writes, silently. Where it is not installed, that is said.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { softbox, tinyFlags } from "../support/cli.ts";
import { tensorflowIsMissing } from "../support/engines.ts";
import { temporaryFolder, writeSmallText } from "../support/folders.ts";

const folder = temporaryFolder();
writeSmallText(folder);
const flags = [...tinyFlags, "--engine", "tensorflow"];

if (tensorflowIsMissing)
  test("it is not installed here, and whoever names it is told what to type", async () => {
    console.warn(
      `tensorflow: no job is run here: its ${tensorflowIsMissing} is missing; npm run tensorflow installs it`,
    );
    const { code, err } = await softbox(folder, ["train", ...flags, "--steps", "2"]);
    expect(code).toBe(1);
    expect(err).toMatch(/^error: engine tensorflow: .*\nhint: npm run tensorflow/m);
  });
else {
  test("it trains, resumes and writes, and the library says nothing", {
    timeout: 120_000,
  }, async () => {
    const trained = await softbox(folder, ["train", ...flags, "--steps", "8", "--run", "short"]);
    expect([trained.code, trained.err]).toEqual([0, ""]);
    expect(trained.out).toMatch(/^engine: tensorflow \(libtensorflow .*\)$/m);
    const resumed = await softbox(folder, ["train", "--resume", "short", "--steps", "12", "--engine", "tensorflow"]);
    expect([resumed.code, resumed.err]).toEqual([0, ""]);
    expect(resumed.out).toContain("step 12/12");
    expect(existsSync(join(folder, "short/step-000012/manifest.json"))).toBe(true);
    const written = await softbox(folder, ["generate", "short", "--tokens", "12", "--engine", "tensorflow", "--json"]);
    expect([written.code, JSON.parse(written.out.trim().split("\n").at(-1)!)]).toEqual([0, expect.anything()]);
  });

  test("auto leaves the library alone on a machine without a GPU", async () => {
    const script = `
    const { useEngine } = await import(${JSON.stringify(new URL("../../dist/index.js", import.meta.url).href)});
    const { name } = await useEngine("auto");
    const maps = (await import("node:fs")).readFileSync("/proc/self/maps", "utf8");
    console.log(name, /libtensorflow/.test(maps));`;
    const said = execFileSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
    expect(said).toMatch(/^(native|wasm) false\n$|^tensorflow true\n$/);
  });
}
