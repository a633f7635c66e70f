import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { tinyRun, trainFresh } from "../../test/support/runs.ts";
import { useEngine } from "../engine/engine.ts";
import { lockRun } from "./lock.ts";
import { findRuns, readRun } from "./runSummary.ts";

const root = mkdtempSync(join(tmpdir(), "softbox-runs-"));
const runs = join(root, "checkpoints");
beforeAll(async () => {
  await useEngine("cpu");
  writeFileSync(join(root, "text.txt"), "the whale and the sea. ".repeat(60));
  await trainFresh(tinyRun(join(root, "text.txt"), "mos:2"), join(runs, "b"));
  mkdirSync(join(runs, "a"));
  writeFileSync(join(runs, "a", "config.json"), "{");
  mkdirSync(join(runs, "no-run"));
});
afterAll(() => rmSync(root, { recursive: true }));

test("finds the runs of a folder, and none where there is none", () => {
  expect(findRuns(runs)).toEqual([join(runs, "a"), join(runs, "b")]);
  expect(findRuns(join(root, "nowhere"))).toEqual([]);
});

test("a run's line holds its best evaluation, its steps and its speed", () => {
  const { summary, curves } = readRun(join(runs, "b"));
  expect(summary).toMatchObject({ name: "b", state: "finished", model: "transformer mos:2", step: 10, steps: 10 });
  expect(curves.loss.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  expect(summary.bestNats).toBe(Math.min(...curves.validation.map(({ value }) => value)));
  expect(summary.tokensPerSecond).toBeGreaterThan(0);
});

test("a run that somebody trains says so", () => {
  const unlock = lockRun(join(runs, "b"));
  expect(readRun(join(runs, "b")).summary.state).toBe("training");
  unlock();
});

test("a damaged run is a line with its problem", () => {
  expect(readRun(join(runs, "a")).summary).toMatchObject({
    state: "damaged",
    problem: expect.stringContaining("config.json"),
  });
});
