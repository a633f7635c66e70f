/** @file What goes wrong behind a real screen is shown on it, with what to do; and a run that another process writes is followed. */
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { environment, program, softbox, tinyFlags } from "../support/cli.ts";
import { expectInside, expectRestored } from "./playWindow.ts";
import { openWindow } from "./window.ts";

const folder = mkdtempSync(join(tmpdir(), "softbox-faults-"));
const text = join(folder, "text.txt");
const flags = tinyFlags.map((flag) => (flag === "text.txt" ? text : flag));
/** Milliseconds that a program may take to start on a machine with other things to do. */
const starting = 40_000;

beforeAll(async () => {
  writeFileSync(text, "the whale and the sea. so it goes.\n".repeat(60));
  const { code, err } = await softbox(folder, ["train", ...flags, "--run", "run", "--steps", "20"]);
  expect(code, err).toBe(0);
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true }));

function open(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { SOFTBOX_CACHE } = environment(folder);
  const given = { ARGS: JSON.stringify(args), SOFTBOX_CACHE: SOFTBOX_CACHE!, ...env };
  const window = openWindow("softbox.mjs", { columns: 80, rows: 24, env: given });
  onTestFinished(() => window.end());
  return window;
}

test("a checkpoint that does not load is told on the screen of play, with what to do, and q quits", async () => {
  const run = join(folder, "cut");
  cpSync(join(folder, "run"), run, { recursive: true });
  truncateSync(join(run, "step-000020", "model.safetensors"), 100);
  const window = open(["play", run, "--step", "20"]);
  await window.until(/✗ checkpoint …\/step-000020: .* → Choose another step of this run/, starting);
  expectInside(window, 80, 24);
  window.type(" q");
  await expectRestored(window);
  const told = window.history().join("");
  expect(told).toMatch(/error: checkpoint .*step-000020: model\.safetensors/);
  expect(told).toContain("hint: Choose another step of this run");
});

test("a model's thread that dies is told on the screen of play, and q quits", async () => {
  const window = open(["play", join(folder, "run"), "--prompt", "the "], { DIE_ON: "step" });
  await window.until(/▸ 1 \d\.\d{4}/, starting);
  window.type(" ");
  await window.until(/✗ the model's thread (died: out of luck|has ended) → Quit and start again/);
  window.type("\x1b[C");
  await window.until(/temperature 0\.85/);
  expectInside(window, 80, 24);
  window.type("q");
  await expectRestored(window);
});

test("a training thread that dies is told on the screen, with how to go on; nothing saved is lost", async () => {
  const run = join(folder, "dying");
  const set = ["--set", "training.checkpointEvery=10"];
  const args = ["train", "--ui", ...flags, ...set, "--run", run, "--steps", "1000000"];
  const window = open(args, { DIE_ON: "pause" });
  await vi.waitUntil(() => existsSync(join(run, "latest")), starting);
  await window.until(/saved \d+/);
  window.type(" ");
  await window.until(/✗ failed[\s\S]*the training thread (died|has ended)/);
  expectInside(window, 80, 24);
  window.type("q");
  await expectRestored(window);
  expect(window.history().join("")).toContain(`softbox train --resume ${run}`.slice(0, 30));
  const { code, err } = await softbox(folder, ["generate", run, "--prompt", "the ", "--tokens", "3"]);
  expect(code, err).toBe(0);
});

test("a run that another process trains is followed until that ends", async () => {
  const run = join(folder, "followed");
  const args = ["train", ...flags, "--run", run, "--steps", "1000000"];
  const trainer = spawn(process.execPath, [program, ...args], {
    cwd: folder,
    env: environment(folder),
    stdio: "ignore",
  });
  onTestFinished(() => void trainer.kill("SIGKILL"));
  const metrics = join(run, "metrics.jsonl");
  await vi.waitUntil(() => existsSync(metrics) && readFileSync(metrics, "utf8").includes('"step":20,'), starting);
  const window = open(["train", "--ui", "--resume", run]);
  await window.until(/watching[\s\S]*step \d/, starting);
  const first = /step ([\d,]+) of/.exec(window.text())![1];
  await window.until((shown) => /step ([\d,]+) of/.exec(shown)?.[1] !== first, starting);
  expectInside(window, 80, 24);
  trainer.kill("SIGINT");
  await window.until(/stopped/, starting);
  window.type("q");
  await expectRestored(window);
});
