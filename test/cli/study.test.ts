// `softbox calibrate --study`: twins that differ in a remedy alone, gone on with where they were left, and one table.
import { cpSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { softbox } from "../support/cli.ts";
import { temporaryFolder, writeSmallText } from "../support/folders.ts";

const here = temporaryFolder();
const study = ["calibrate", "--study", "--recipe", "small.json", "--run", "study", "--threads", "1", "--draws", "20"];
const names = ["plain-1", "plain-2", "plain-3", "label-smoothing", "dropout"];
const json = (text: string) =>
  text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
const read = (path: string): string => readFileSync(join(here, path), "utf8");
const written = (name: string): number => statSync(join(here, "study", name, "step-000030/manifest.json")).mtimeMs;

const recipe = {
  corpus: "text.txt",
  tokenizer: "char",
  splits: { train: 0.4, validation: 0.3, calibration: 0.3 },
  model: { kind: "transformer", contextLength: 16, embedSize: 16, layers: 1, heads: 2, dropout: 0.5 },
  training: { steps: 30, batchSize: 4, labelSmoothing: 0.3, evaluateEvery: 0, checkpointEvery: 10 },
};

/** What `--json` tells, a row a remedy. */
let found: ReturnType<typeof json>;
let told: { code: number | null; out: string; err: string };
beforeAll(async () => {
  writeSmallText(here);
  writeFileSync(join(here, "small.json"), JSON.stringify(recipe));
  told = await softbox(here, study);
});

test("trains five twins and prints one table, at most 80 columns wide", () => {
  expect([told.code, told.err]).toEqual([0, ""]);
  expect(readdirSync(join(here, "study")).toSorted()).toEqual(names.toSorted());
  const table = told.out.slice(told.out.indexOf("measuring on text.txt, validation split")).split("\n");
  expect(Math.max(...table.map((line) => line.length))).toBeLessThanOrEqual(80);
  const interval = String.raw` \d\.\d{3} \(\d\.\d{3}–\d\.\d{3}\)`;
  for (const name of [
    "plain  ",
    String.raw`temperature \d\.\d\d`,
    "label smoothing",
    "dropout  ",
    "dropout, 16 masks",
    "ensemble of 3",
    String.raw`…, temperature \d\.\d\d`,
  ])
    expect(
      table.filter((line) => new RegExp(`^${name} +\\d\\.\\d{4} +\\d+\\.\\d\\d${interval}${interval}$`).test(line)),
    ).toHaveLength(1);
  expect(told.out).toMatch(/\n(lowest NLL: .* nats per token below plain|no remedy lowers NLL)\n/);
  expect(told.out).toMatch(/\nplain under 3 seeds: NLL \d\.\d{4} to \d\.\d{4}; smaller differences say nothing\n$/);
});

test("the twins differ in their remedy alone; what the recipe itself had of remedies is taken off", () => {
  const remediesOf = (name: string): unknown[] => {
    const { seed, model, training, ...rest } = JSON.parse(read(`study/${name}/config.json`));
    const { dropout, ...otherModel } = model;
    const { labelSmoothing, ...otherTraining } = training;
    expect([basename(rest.corpus), otherModel.embedSize, otherTraining.steps]).toEqual(["text.txt", 16, 30]);
    return [seed, dropout, labelSmoothing];
  };
  expect(names.map(remediesOf)).toEqual([
    [1, 0, 0],
    [2, 0, 0],
    [3, 0, 0],
    [1, 0, 0.1],
    [1, 0.2, 0],
  ]);
});

test("given again it trains nothing and finds the same; a twin that is missing or unfinished is trained on", async () => {
  const before = names.map(written);
  const rows = json((await softbox(here, [...study, "--json"])).out);
  expect(names.map(written)).toEqual(before);
  expect(rows.map(({ name }) => name)).toHaveLength(9);
  found = rows;
  rmSync(join(here, "study/plain-2"), { recursive: true });
  cpSync(join(here, "study/dropout"), join(here, "whole"), { recursive: true });
  rmSync(join(here, "study/dropout/step-000030"), { recursive: true }); // as if killed after step 20
  const again = await softbox(here, [...study, "--json"]);
  expect([again.code, again.err]).toEqual([0, ""]);
  expect(json(again.out)).toEqual(rows);
  const weights = (run: string): Buffer => readFileSync(join(here, run, "step-000030/model.safetensors"));
  expect(weights("study/dropout").equals(weights("whole"))).toBe(true);
}, 180_000); // two studies one after the other

test("each row is what eval and calibrate say of the same runs", async () => {
  const rows = new Map(found.map((row) => [row.name, row]));
  const nll = (name: string): number => rows.get(name).measurement.metrics.nll.value;
  const one = async (...args: string[]) =>
    json((await softbox(here, [...args, "--max-tokens", "10000", "--json"])).out);
  const [ensemble] = await one("eval", "--ensemble", "study/plain-1", "study/plain-2", "study/plain-3");
  expect(nll("ensemble of 3")).toBeCloseTo(ensemble.probabilityNll, 5);
  for (const [i, name] of ["plain", "plain, seed 2", "plain, seed 3"].entries())
    expect(nll(name)).toBeCloseTo(ensemble.memberNlls[i], 5);
  const [masks] = await one("eval", "study/dropout", "--mc-dropout", "16");
  expect(nll("dropout, 16 masks")).toBeCloseTo(masks.probabilityNll, 5);
  expect(nll("dropout")).toBeCloseTo(masks.singleNll, 5);
  const [, repaired] = await one("calibrate", "study/plain-1", "--repairs", "temperature");
  expect(rows.get("temperature").temperature).toBeCloseTo(repaired.repair.temperature, 5);
  expect(nll("temperature")).toBeCloseTo(repaired.metrics.nll.value, 5);
  expect(rows.get("ensemble of 3")).toMatchObject({ trainings: 3, passes: 3 });
});

test.each([
  [[...study, "study/plain-1"], "--study: trains and judges runs of its own, got a run as well"],
  [[...study, "--save", "temperature"], "--study: trains and judges runs of its own, got --save as well"],
  [["calibrate", "--steps", "10"], "--steps: is for --study"],
  [[...study, "--steps", "20"], "study: study/plain-1 is at step 30, beyond the 20 asked for"],
  [["calibrate", "--study", "--run", "study"], "study: study/plain-1 was trained with other settings"],
  [
    ["calibrate", "--study", "--recipe", "nano-char", "--run", "x"],
    "study: temperatures are fitted on the calibration split",
  ],
])("%j is refused", async (args, message) => {
  const { code, err } = await softbox(here, args);
  expect(code).toBe(1);
  expect(err).toContain(`error: ${message}`);
});
