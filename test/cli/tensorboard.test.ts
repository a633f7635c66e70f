// train --tensorboard: event files, read by a reader written from the specification; a killed run that goes on has each point once.
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import { eventFiles } from "../../src/experiments/tensorboard/eventFile.ts";
import { environment, program, softbox, tinyFlags } from "../support/cli.ts";
import { temporaryFolder, writeSmallText } from "../support/folders.ts";
import { type ReadValue, readEventFile } from "../support/tfevents.ts";

const folder = temporaryFolder();
writeSmallText(folder);
const flags =
  "--steps 12 --head mos:2 --set training.evaluateEvery=4 --set training.checkpointEvery=4 --engine cpu --tensorboard".split(
    " ",
  );
const metrics = (run: string) =>
  readFileSync(join(folder, run, "metrics.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
const valuesOf = (run: string): ReadValue[] => eventFiles(join(folder, run)).flatMap(readEventFile);
const stepsOf = (values: readonly ReadValue[], tag: string): number[] =>
  values.filter((value) => value.tag === tag).map(({ step }) => step);

test("event files tell what the run's record tells, and histograms of log-probabilities and gates", {
  timeout: 60_000,
}, async () => {
  const { code, err } = await softbox(folder, ["train", ...tinyFlags, ...flags, "--run", "whole"]);
  expect([code, err]).toEqual([0, expect.not.stringContaining("error")]);
  const values = valuesOf("whole");
  const losses = values.filter(({ tag }) => tag === "loss/training").map(({ step, scalar }) => [step, scalar]);
  const steps = metrics("whole").filter(({ type }) => type === "step");
  expect(losses).toEqual(steps.map(({ step, loss }) => [step, Math.fround(loss)]));
  expect(stepsOf(values, "loss/validation")).toEqual([4, 8, 12]);
  for (const tag of ["log-probabilities", "gate/component 1", "gate/component 2"]) {
    const found = values.filter((value) => value.tag === tag);
    expect(found.map(({ step }) => step)).toEqual([4, 8, 12]);
    expect(found.every(({ histogram }) => histogram!.num === 128 * (tag === "log-probabilities" ? 18 : 1))).toBe(true);
  }
  const gates = [1, 2].map((k) => values.find(({ tag }) => tag === `gate/component ${k}`)!.histogram!);
  expect(gates[0]!.sum + gates[1]!.sum).toBeCloseTo(128, 3);
  expect(values.find(({ tag }) => tag === "configuration")!.text).toContain('"kind": "mos"');
  expect(stepsOf(values, "sample")).toEqual([4, 8, 12]);
});

test("a run that was killed goes on in a new file: each point once, in order", { timeout: 120_000 }, async () => {
  const args = [program, "train", ...tinyFlags, ...flags, "--steps", "4000", "--run", "killed"];
  const child = spawn(process.execPath, args, { cwd: folder, env: environment(folder), stdio: "ignore" });
  const checkpoint = join(folder, "killed/step-000008");
  for (let waited = 0; !existsSync(checkpoint) && waited < 40_000; waited += 20) await setTimeout(20);
  child.kill("SIGKILL");
  await new Promise((resolve) => child.on("close", resolve));
  const last = Number(/\d+/.exec(readFileSync(join(folder, "killed/latest"), "utf8"))![0]);
  const steps = String(last + 8);
  const { code, err } = await softbox(folder, [
    "train",
    "--resume",
    "killed",
    "--steps",
    steps,
    "--tensorboard",
    "--engine",
    "cpu",
    "--threads",
    "1",
  ]);
  expect([code, err]).toEqual([0, expect.not.stringContaining("error")]);
  expect(eventFiles(join(folder, "killed"))).toHaveLength(2);
  const values = valuesOf("killed");
  expect(stepsOf(values, "loss/training")).toEqual(Array.from({ length: last + 8 }, (_, i) => i + 1));
  expect(new Set(values.map(({ tag, step }) => `${tag} ${step}`)).size).toBe(values.length);
});
