import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { pointAt, pruneCheckpoints, savedSteps, stepFolder, stepsToTry } from "./runFolder.ts";

let run: string;
beforeEach(() => {
  run = mkdtempSync(join(tmpdir(), "softbox-"));
  for (const step of [5, 100, 20, 1_000_000]) mkdirSync(stepFolder(run, step));
  mkdirSync(join(run, "step-000030.partial-77"));
  writeFileSync(join(run, "latest.partial-77"), "");
});
afterEach(() => rmSync(run, { recursive: true, force: true }));

test("steps are listed the newest first; what is unfinished is none", () => {
  expect(savedSteps(run)).toEqual([1_000_000, 100, 20, 5]);
  expect(savedSteps(join(run, "nothing"))).toEqual([]);
});

test("latest tries all steps, a number or best that one alone", async () => {
  await pointAt(run, "best", 20);
  expect(stepsToTry(run, "latest")).toEqual([1_000_000, 100, 20, 5]);
  expect(stepsToTry(run, "100")).toEqual([100]);
  expect(stepsToTry(run, "best")).toEqual([20]);
});

test("a step that is not there is refused with those that are", () => {
  for (const wanted of ["7", "best", "last", "1e2x", ""])
    expect(() => stepsToTry(run, wanted)).toThrow(
      expect.objectContaining({ name: "SandboxError", hint: "Saved steps: 1000000, 100, 20, 5." }) as Error,
    );
});

test("pruning keeps the newest and the best, and clears what was left unfinished", async () => {
  await pointAt(run, "best", 5);
  await pruneCheckpoints(run, 2);
  expect(savedSteps(run)).toEqual([1_000_000, 100, 5]);
  expect(readdirSync(run).filter((name) => name.includes("partial"))).toEqual([]);
  expect(existsSync(join(run, "best"))).toBe(true);
});
