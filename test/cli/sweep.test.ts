// softbox sweep: trials in processes of their own, killed and gone on with.
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import { environment, program, softbox, tinyFlags } from "../support/cli.ts";
import { temporaryFolder, writeSmallText } from "../support/folders.ts";

const folder = temporaryFolder();
writeSmallText(folder);
const flags = tinyFlags.filter((word, i) => word !== "--threads" && tinyFlags[i - 1] !== "--threads");
const common = [...flags, "--set", "training.evaluateEvery=0", "--engine", "cpu"];
const sweep = (...args: string[]) => softbox(folder, ["sweep", ...common, ...args]);

/** Lines that are whole; the rest is being written. */
function recorded(study: string): { name: string; step: number; nats: number }[] {
  const path = join(folder, study, "results.jsonl");
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

const runsOf = (study: string): string[] =>
  readdirSync(join(folder, study))
    .filter((name) => existsSync(join(folder, study, name, "config.json")))
    .sort();

test("8 trials, two at a time, killed in the middle and started again: the rest alone is made", {
  timeout: 240_000,
}, async () => {
  const args = [
    "--sweep",
    "lr=1e-3..1e-1:log:4",
    "--sweep",
    "head=softmax,mos:2",
    "--steps",
    "40",
    "--parallel",
    "2",
    "--out",
    "killed",
  ];
  const first = spawn(process.execPath, [program, "sweep", ...common, ...args], {
    cwd: folder,
    env: environment(folder),
    stdio: "ignore",
  });
  const dead = new Promise((resolve) => first.on("close", resolve));
  while (recorded("killed").length < 3) await setTimeout(20);
  first.kill("SIGKILL");
  await dead;
  const before = recorded("killed");
  expect(before.length).toBeLessThan(8);
  const state = (name: string) => readFileSync(join(folder, "killed", name, "timings.jsonl"), "utf8");
  const kept = new Map(before.map(({ name }) => [name, state(name)]));

  const { code, out, err } = await sweep(...args, "--json");
  expect({ code, err }).toMatchObject({
    code: 0,
    err: expect.stringContaining(`: ${8 - before.length} of 8 trials to make`),
  });
  for (const [name, timings] of kept) expect(state(name)).toBe(timings); // not one step more
  const after = recorded("killed");
  expect(after.length).toBe(8);
  expect(new Set(after.map(({ name }) => name)).size).toBe(8);
  expect(runsOf("killed")).toEqual(after.map(({ name }) => name).sort());
  for (const { name } of after) {
    const steps = state(name)
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).step);
    expect(steps).toEqual(Array.from({ length: 40 }, (_, i) => i + 1)); // each step once, also of those killed in the middle
  }
  const { results, failed } = JSON.parse(out);
  expect(failed).toEqual({});
  expect(results.map(({ nats }: { nats: number[] }) => nats[0])).toEqual(
    after.map(({ nats }) => nats).sort((a, b) => a - b),
  );
});

test("finished, it makes nothing, and another plan in its folder is refused", { timeout: 60_000 }, async () => {
  const args = ["--sweep", "lr=1e-3..1e-1:log:4", "--steps", "40", "--out", "killed"];
  const again = await sweep(...args, "--sweep", "head=softmax,mos:2");
  expect([again.code, again.err]).toEqual([0, expect.stringContaining(": 0 of 8 trials to make")]);
  expect(again.out.split("\n")[1]).toMatch(/^learningRate \S+, (softmax|mos:2) +\d\.\d{4} +40 /);
  const other = await sweep(...args, "--sweep", "head=softmax,mos:3");
  expect([other.code, other.err]).toEqual([1, expect.stringContaining("it was planned otherwise")]);
});

test("a file with halving: the better half goes on, the rest keeps its place in the table", {
  timeout: 120_000,
}, async () => {
  writeFileSync(
    join(folder, "small.json"),
    JSON.stringify({ recipe: "nano-char", sweep: ["lr=1e-5,0.03"], seeds: 2, halving: 2 }),
  );
  const { code, out } = await softbox(folder, ["sweep", "small.json", ...common.slice(2), "--steps", "12", "--json"]);
  expect(code).toBe(0);
  const { results } = JSON.parse(out);
  expect(
    results.map(({ name, steps, nats }: { name: string; steps: number; nats: number[] }) => [name, steps, nats.length]),
  ).toEqual([
    ["learningRate 0.03", 12, 2],
    ["learningRate 1e-5", 6, 2],
  ]);
  expect(statSync(join(folder, "checkpoints/sweep-small/study.json")).isFile()).toBe(true);
});

test("a trial that cannot be trained is told, the others are made", { timeout: 60_000 }, async () => {
  const { code, out, err } = await sweep(
    "--sweep",
    "head=softmax,adaptive:500",
    "--steps",
    "2",
    "--out",
    "mixed",
    "--json",
  );
  expect(code).toBe(1);
  expect(err).toContain("each must lie below the vocabulary's size 18");
  expect(JSON.parse(out).results.map(({ name }: { name: string }) => name)).toEqual(["softmax"]);
});

test.each([
  [[], "nothing is varied"],
  [["--sweep", "lr"], "expected key=values"],
  [["--sweep", "lr=1,2", "--sweep", "learning-rate=3"], "is varied twice"],
  [["--sweep", "seed=1,2"], "cannot be varied"],
  [["--sweep", "layers=0,1"], "model.layers"],
  [["nowhere.json"], "there is no file"],
])("sweep %j is an error before anything is made", { timeout: 30_000 }, async (args, words) => {
  const { code, err } = await sweep(...args, "--out", "never");
  expect([code, err, existsSync(join(folder, "never"))]).toEqual([1, expect.stringContaining(words), false]);
});
