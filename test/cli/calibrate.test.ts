// `softbox calibrate` and `--calibrated` as a user meets them.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { softbox, tinyFlags } from "../support/cli.ts";
import { temporaryFolder, writeSmallText } from "../support/folders.ts";

const here = temporaryFolder();
const run = "checkpoints/small";

async function good(...args: string[]): Promise<{ out: string; err: string }> {
  const { code, out, err } = await softbox(here, args);
  expect(code, err).toBe(0);
  return { out, err };
}

beforeAll(async () => {
  writeSmallText(here);
  const splits = ["--set", "splits.train=0.8", "--set", "splits.validation=0.1", "--set", "splits.calibration=0.1"];
  await good("train", ...tinyFlags, ...splits, "--run", run, "--steps", "30");
});

test("without a saved repair --calibrated says how to make one", async () => {
  for (const command of ["generate", "eval"]) {
    const { code, err } = await softbox(here, [command, run, "--calibrated"]);
    expect(code).toBe(1);
    expect(err).toContain("step 30 has no saved repair\nhint: Fit one: softbox calibrate checkpoints/small --step 30");
  }
});

test("one table with every repair, diagrams before and after at 60 columns, an SVG, and the repair is kept", async () => {
  const { out, err } = await good("calibrate", run, "--save", "vector", "--svg", "d.svg", "--draws", "20");
  const lines = out.split("\n");
  const kinds = ["as it is", "temperature", "vector", "matrix", "platt", "beta", "histogram", "isotonic", "bbq"];
  for (const kind of kinds)
    expect(lines.filter((line) => line.startsWith(kind.padEnd(11)) && / \d\.\d{4}/.test(line))).toHaveLength(2);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
  const diagram = lines.filter((line) => /^ +\d+–\d+ %/.test(line));
  expect(diagram).toHaveLength(30);
  expect(Math.max(...diagram.map((line) => line.length))).toBeLessThanOrEqual(60);
  expect(out).not.toContain("NaN");
  expect(out).not.toContain("\u001b");
  expect(err).toContain(`saved vector as ${join(run, "calibration-step-000030.json")}; use it with --calibrated`);
  const svg = readFileSync(join(here, "d.svg"), "utf8");
  expect(svg).toMatch(/^<svg [\s\S]*After vector[\s\S]*<\/svg>\n$/);
});

test("eval and generate use it: the loss is that of the table", async () => {
  const events = (await good("calibrate", run, "--repairs", "vector", "--json", "--draws", "0")).out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(events.map(({ kind }) => kind)).toEqual(["none", "vector"]);
  const { nats, natsBefore } = JSON.parse((await good("eval", run, "--calibrated", "--json")).out);
  expect(nats).toBeCloseTo(events[1].metrics.nll.value, 9);
  expect(natsBefore).toBeCloseTo(events[0].metrics.nll.value, 5); // there losses of float32 rows are summed as they are
  const args = ["generate", run, "--tokens", "1", "--json", "--temperature", "1"];
  const [plain, repaired] = [await good(...args), await good(...args, "--calibrated")].map(({ out }) =>
    JSON.parse(out),
  );
  expect(repaired.entropy).not.toBe(plain.entropy);
});

test("which repair is in force is said by eval, and by play in a pipe", async () => {
  expect((await good("eval", run, "--calibrated")).out).toMatch(/tokens, calibrated by vector\nuncalibrated {3}\d/);
  expect((await good("play", run, "--calibrated")).out).toMatch(/^calibrated by vector · temperature 0\.80 · /m);
  expect((await good("play", run)).out).not.toContain("calibrated");
});

test("a head of sigmoids is judged twice: as a softmax of its scores, and as a yes or no for each token", async () => {
  const splits = ["--set", "splits.train=0.8", "--set", "splits.validation=0.1", "--set", "splits.calibration=0.1"];
  await good("train", ...tinyFlags, ...splits, "--head", "sigmoid", "--run", "sigmoids", "--steps", "30");
  const args = ["calibrate", "sigmoids", "--repairs", "temperature", "--draws", "20"];
  const events = (await good(...args, "--json")).out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(events.map(({ type, kind }) => [type, kind])).toEqual([
    [undefined, "none"],
    [undefined, "temperature"],
    ...["none", "platt", "beta", "histogram", "isotonic", "bbq"].map((kind) => ["answers", kind]),
  ]);
  const [, , before, platt] = events;
  expect(before.bins.reduce((sum: number, { count }: { count: number }) => sum + count, 0)).toBe(18 * before.count);
  expect(Math.abs(platt.metrics.sum.value - 1)).toBeLessThan(0.1);
  const { out } = await good(...args);
  const lines = out.slice(out.indexOf("The sigmoids themselves")).split("\n");
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
  for (const kind of ["as it is", "platt", "beta", "histogram", "isotonic"])
    expect(lines.filter((line) => line.startsWith(kind.padEnd(11)) && / \d\.\d{4}/.test(line))).toHaveLength(1);
});

test("what is wrong is told, and nothing is written", async () => {
  const { code, err } = await softbox(here, ["calibrate", run, "--repairs", "magic", "--svg", "no.svg"]);
  expect([code, err]).toEqual([
    1,
    `error: --repairs: expected temperature, vector, matrix, platt, beta, histogram, isotonic or bbq, got "magic"\nhint: For example --repairs temperature.\n`,
  ]);
  expect(existsSync(join(here, "no.svg"))).toBe(false);
});
