// A run is killed, damaged and fought over; it goes on from a whole checkpoint, or says plainly why not.
import { spawn } from "node:child_process";
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { type Ended, environment, program, softbox, tinyFlags } from "../support/cli.ts";
import { temporaryFolder, writeSmallText } from "../support/folders.ts";
import { killManyTimes } from "./kill.mjs";

test.each([
  { family: "transformer", kills: 4 },
  { family: "lstm", kills: 3 },
] as const)(
  "kill -9 at $kills random moments: a run of a $family goes on each time, and ends as if it had never been killed",
  async ({ family, kills }) => {
    expect(await killManyTimes(kills, 2, { family })).toBeGreaterThan(10);
  },
);

const here = temporaryFolder();
let copies = 0;

beforeAll(async () => {
  writeSmallText(here);
  const often = ["--set", "training.checkpointEvery=5", "--set", "training.evaluateEvery=0"];
  const { code, err } = await softbox(here, ["train", ...tinyFlags, ...often, "--run", "made", "--steps", "15"]);
  expect([code, err]).toEqual([0, ""]);
});

/** A copy of a run that stands at step 15 and has steps 10 and 15 saved. */
function copyOfRun(): string {
  const name = `copy-${++copies}`;
  cpSync(join(here, "made"), join(here, name), { recursive: true });
  return name;
}

function flipBit(file: string, at: number): void {
  const content = readFileSync(file);
  content[at]! ^= 16;
  writeFileSync(file, content);
}

describe("where the newest checkpoint is damaged, the one before is taken aloud", () => {
  test.each([
    [
      "truncated weights",
      (step: string) => truncateSync(join(step, "model.safetensors"), 1000),
      /model.safetensors has 1000 bytes, expected \d+/,
    ],
    [
      "a flipped bit in the weights",
      (step: string) => flipBit(join(step, "model.safetensors"), 5000),
      /model.safetensors was altered \(its SHA-256 differs\)/,
    ],
    [
      "a missing optimiser",
      (step: string) => rmSync(join(step, "optimizer.safetensors")),
      /optimizer.safetensors is missing/,
    ],
    ["a missing manifest", (step: string) => rmSync(join(step, "manifest.json")), /it has no manifest.json/],
    [
      "an empty state",
      (step: string) => truncateSync(join(step, "state.json"), 0),
      /state.json has 0 bytes, expected \d+/,
    ],
  ])("%s", async (_, damage, told) => {
    const run = copyOfRun();
    damage(join(here, run, "step-000015"));
    const warning = new RegExp(`^checkpoint ${run}/step-000015: ${told.source}; trying the one before\n$`);

    const text = await softbox(here, ["generate", run, "--tokens", "5"]);
    expect(text.code).toBe(0);
    expect(text.err).toMatch(warning);

    const resumed = await softbox(here, ["train", "--resume", run, "--steps", "20"]);
    expect(resumed.err).toMatch(warning);
    expect(resumed.code).toBe(0);
    expect(resumed.out).toContain("resuming at step 10 of 20");
    const steps = readFileSync(join(here, run, "metrics.jsonl"), "utf8")
      .trim()
      .split("\n");
    const numbers = steps.map((line) => JSON.parse(line)).filter(({ type }) => type === "step");
    expect(numbers.map(({ step }) => step)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    expect((await softbox(here, ["eval", run])).err).toBe(""); // step 15 was made and saved anew
  });

  test("and what the damaged run becomes is what the undamaged one becomes", async () => {
    const [damaged, sound] = [copyOfRun(), copyOfRun()];
    flipBit(join(here, damaged, "step-000015/optimizer.safetensors"), 3000);
    for (const run of [damaged, sound]) await softbox(here, ["train", "--resume", run, "--steps", "20"]);
    const weights = (run: string): Buffer => readFileSync(join(here, run, "step-000020/model.safetensors"));
    expect(weights(damaged).equals(weights(sound))).toBe(true);
  });
});

test("where every checkpoint is damaged, nothing is trained and nothing is removed", async () => {
  const run = copyOfRun();
  for (const step of ["step-000010", "step-000015"]) truncateSync(join(here, run, step, "model.safetensors"), 10);
  const before = readdirSync(join(here, run));
  const { code, out, err } = await softbox(here, ["train", "--resume", run, "--steps", "20"]);
  expect(code).toBe(1);
  expect(out).not.toContain("resuming");
  expect(err.replace(/expected \d+/g, "expected N")).toBe(
    `checkpoint ${run}/step-000015: model.safetensors has 10 bytes, expected N; trying the one before
error: checkpoint ${run}/step-000015: model.safetensors has 10 bytes, expected N
hint: Choose another step of this run, or train it again.
`,
  );
  expect(readdirSync(join(here, run))).toEqual(before);
});

describe("one process a run", () => {
  const resume = (run: string): Promise<Ended> => softbox(here, ["train", "--resume", run, "--steps", "20"]);

  test("a second one is refused while the first trains, and the first does not notice", async () => {
    const run = copyOfRun();
    const args = [program, "train", "--resume", run, "--steps", "1000000", "--json"];
    const first = spawn(process.execPath, args, {
      cwd: here,
      env: environment(here),
      stdio: ["ignore", "pipe", "pipe"],
    });
    let errors = "";
    first.stderr.on("data", (chunk) => {
      errors += chunk;
    });
    await new Promise((resolve) => first.stdout.once("data", resolve));
    const second = await resume(run);
    expect(second.code).toBe(1);
    expect(second.err).toBe(
      `error: run ${run}: process ${first.pid} on ${hostname()} is training it
hint: Wait for it, stop it, or choose another folder with --run. If it is long gone, remove ${join(here, run, "run.lock")}.
`,
    );
    first.stdout.resume();
    first.kill("SIGINT");
    expect(await new Promise((resolve) => first.once("close", resolve))).toBe(130);
    expect(errors).toBe("stopping after this step, saving (again to stop at once)\n");
    expect(existsSync(join(here, run, "run.lock"))).toBe(false);
    expect((await softbox(here, ["eval", run])).code).toBe(0);
  });

  test.each([
    ["of a process that is gone", JSON.stringify({ pid: 2 ** 22 + 1, host: hostname() })],
    ["that a crash left empty", ""],
    ["that holds something else", "[]"],
  ])("a lock %s is taken over", async (_, content) => {
    const run = copyOfRun();
    writeFileSync(join(here, run, "run.lock"), content);
    const { code, err } = await resume(run);
    expect([code, err]).toEqual([0, ""]);
    expect(readdirSync(join(here, run)).filter((name) => name.startsWith("run.lock"))).toEqual([]);
  });

  test("a lock of another machine is respected: its process cannot be asked from here", async () => {
    const run = copyOfRun();
    writeFileSync(join(here, run, "run.lock"), JSON.stringify({ pid: 1, host: "elsewhere" }));
    const { code, err } = await resume(run);
    expect(code).toBe(1);
    expect(err).toContain(`error: run ${run}: process 1 on elsewhere is training it\n`);
  });

  test("of six that come at once upon a dead one's lock, one trains", async () => {
    const run = copyOfRun();
    writeFileSync(join(here, run, "run.lock"), JSON.stringify({ pid: 2 ** 22 + 1, host: hostname() }));
    const script = join(here, "race.mjs");
    const lock = JSON.stringify(new URL("../../dist/experiments/lock.js", import.meta.url).href);
    writeFileSync(
      script,
      `import { lockRun } from ${lock};
       try { lockRun(process.argv[2]); console.log("mine"); setTimeout(() => {}, 2500); } catch (error) { console.log(error.name); }`,
    );
    const one = (): Promise<string> =>
      new Promise((resolve) => {
        const child = spawn(process.execPath, [script, join(here, run)]);
        child.stdout.once("data", (chunk) => resolve(String(chunk).trim()));
      });
    const outcomes = await Promise.all(Array.from({ length: 6 }, one));
    expect(outcomes.toSorted()).toEqual([...Array(5).fill("SandboxError"), "mine"]);
  });
});
