/** @file `softbox play` over real checkpoints and the real worker thread: what it shows is what `generate --json` says. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { bars, expectInside, expectRestored } from "./playWindow.ts";
import { openWindow } from "./window.ts";

const program = fileURLToPath(new URL("../../bin/softbox.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "softbox-play-"));
const heads = ["softmax", "mos:2"];
const runOf = (head: string): string => join(folder, head.replace(":", "-"));
/** Milliseconds that a model may take to load on a machine with other things to do. */
const loading = 60_000;
const environment = { ...process.env, SOFTBOX_CACHE: join(folder, "cache") };

const softbox = (...args: string[]): string =>
  execFileSync(process.execPath, [program, ...args], { encoding: "utf8", env: environment });

/** What is said on stderr where it ends with 1. */
function softboxFails(...args: string[]): string {
  const { status, stderr } = spawnSync(process.execPath, [program, ...args], { encoding: "utf8", env: environment });
  expect(status).toBe(1);
  return stderr;
}

beforeAll(() => {
  const text = join(folder, "text.txt");
  writeFileSync(text, "the whale swims in the deep blue sea. the ship sails on the sea.\n".repeat(60));
  const tiny = [
    "model.layers=1",
    "model.contextLength=16",
    "model.embedSize=16",
    "model.heads=2",
    "training.evaluateEvery=0",
  ];
  for (const head of heads)
    softbox(
      ...["train", "--recipe", "nano-char", "--corpus", text, "--head", head, "--run", runOf(head), "--steps", "60"],
      ...tiny.flatMap((assignment) => ["--set", assignment]),
    );
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true }));

interface Line {
  readonly candidates: readonly { readonly raw: number; readonly final: number }[];
}

/** What `generate --json` says of the first token after "the ". */
const spoken = (head: string, temperature: string): Line =>
  JSON.parse(
    softbox("generate", runOf(head), "--prompt", "the ", "--tokens", "1", "--json", "--temperature", temperature),
  );

test.each(heads)("the bars of a %s checkpoint equal generate --json, before and after the arrows", async (head) => {
  const args = JSON.stringify(["play", runOf(head), "--prompt", "the ", "--temperature", "0.8"]);
  const window = openWindow("softbox.mjs", { columns: 80, rows: 24, env: { ARGS: args } });
  onTestFinished(() => window.end());
  const compare = (temperature: string): void => {
    const shown = bars(window.text());
    const { candidates } = spoken(head, temperature);
    expect(shown.length).toBeGreaterThan(5);
    for (const { rank, final, raw } of shown) {
      expect(final).toBeCloseTo(candidates[rank - 1]!.final, 4);
      expect(raw).toBeCloseTo(candidates[rank - 1]!.raw, 4);
    }
  };
  await window.until(head === "softmax" ? /▸ 1 0\.\d{4}[\s\S]*q quit/ : /▸ 1 0\.\d{4}[\s\S]*mixture π/, loading);
  expectInside(window, 80, 24);
  compare("0.8");
  const before = bars(window.text())[0]!.final;
  window.type("\x1b[C\x1b[C");
  await window.until((text) => text.includes("temperature 0.90") && bars(text)[0]?.final !== before);
  compare("0.9");
  window.type(" ");
  await window.until(/text · 5 tokens/);
  for (const [key, page] of [
    ["m", head === "softmax" ? /mixes nothing/ : /mixture · 2 components/],
    ["a", /attention · layer 1\/1, head 1\/2/],
    ["l", /logit lens[\s\S]*output/],
    ["p", /film · step 60, frame \d+ of \d+/],
    ["t", /side by side · temperature 1\.60/],
    ["b", /kept as branch 1/],
    ["y", /tree · 1 branch/],
  ] as const) {
    window.type(key);
    await window.until(page);
    expectInside(window, 80, 24);
  }
  window.type("q");
  await expectRestored(window);
});

test("with filters in an order of one's own, mirostat among them, the bars after three tokens are those of generate --json", async () => {
  const flags = ["--filters", "temperature=1.4,mirostat=2,top-p=0.9,min-p=0.02", "--seed", "3"];
  const args = JSON.stringify(["play", runOf("softmax"), "--prompt", "the ", ...flags]);
  const window = openWindow("softbox.mjs", { columns: 80, rows: 24, env: { ARGS: args } });
  onTestFinished(() => window.end());
  await window.until(/▸ 1 [01]\.\d{4}/, loading);
  window.type("   ");
  await window.until(/text · 7 tokens/);
  const lines = softbox("generate", runOf("softmax"), "--prompt", "the ", "--tokens", "4", "--json", ...flags);
  const { candidates } = JSON.parse(lines.trim().split("\n")[3]!) as Line;
  const shown = bars(await window.until(/▸ 1 [01]\.\d{4}/));
  expect(shown.length).toBeGreaterThan(5);
  for (const { rank, final, raw } of shown) {
    expect(Number.isNaN(final) ? 0 : final).toBeCloseTo(candidates[rank - 1]!.final, 4);
    expect(raw).toBeCloseTo(candidates[rank - 1]!.raw, 4);
  }
});

test("another run stands beside on the same text, and says what generate --json says of it", async () => {
  const args = ["play", runOf("softmax"), "--prompt", "the ", "--temperature", "0.8", "--beside", runOf("mos:2")];
  const window = openWindow("softbox.mjs", { columns: 120, rows: 40, env: { ARGS: JSON.stringify(args) } });
  onTestFinished(() => window.end());
  await window.until(/▸ 1 0\.\d{4}/, loading);
  window.type("t");
  const text = await window.until(/side by side · .*mos-2, step 60[\s\S]*H \d/, loading);
  expectInside(window, 120, 40);
  const right = text.split("\n").flatMap((line) => /^.{55,70}(\d\.\d{4}) /.exec(line)?.[1] ?? []);
  const { candidates } = spoken("mos:2", "0.8");
  expect(right.length).toBeGreaterThan(5);
  for (const [rank, final] of right.entries()) expect(Number(final)).toBeCloseTo(candidates[rank]!.final, 4);
  window.type("\t");
  await window.until(/side by side · temperature/);
  window.type("\t\t");
  await window.until(/side by side · .*mos-2/);
  window.type("q");
  await expectRestored(window);
  const wrong = softboxFails("play", runOf("softmax"), "--beside", join(folder, "nowhere"));
  expect(wrong).toMatch(/nowhere/);
});

test("c puts the saved repair before everything else, and says so where there is none", async () => {
  const run = runOf("softmax");
  const args = JSON.stringify(["play", run, "--prompt", "the ", "--temperature", "1"]);
  const window = openWindow("softbox.mjs", { columns: 80, rows: 24, env: { ARGS: args } });
  onTestFinished(() => window.end());
  await window.until(/▸ 1 0\.\d{4}/, loading);
  window.type("c");
  await window.until(/✗ run …\/softmax: step 60/);
  const saved = { step: 60, fittedOn: "text", tokens: 1, repair: { kind: "temperature", temperature: 2 } };
  writeFileSync(join(run, "calibration-step-000060.json"), JSON.stringify(saved));
  const before = bars(window.text());
  window.type("c");
  const text = await window.until(/calibrated[\s\S]*▸ 1 0\.\d{4}/);
  expect(text).not.toContain("✗");
  await window.until((shown) => bars(shown)[0]!.raw !== before[0]!.raw);
  const after = bars(window.text());
  const ratio = (all: typeof after) => all[1]!.raw / all[0]!.raw;
  expect(ratio(after)).toBeCloseTo(Math.sqrt(ratio(before)), 2);
});

test("train --ui trains in its thread, saves on w, and replays what is finished", async () => {
  const run = join(folder, "watched");
  const args = ["train", "--ui", "--recipe", "nano-char", "--corpus", join(folder, "text.txt"), "--run", run];
  const small = [
    "--steps",
    "100000",
    "--set",
    "model.layers=1",
    "--set",
    "model.contextLength=16",
    "--set",
    "model.embedSize=16",
    "--set",
    "model.heads=2",
    "--set",
    "training.checkpointEvery=0",
  ];
  const open = (...given: string[]) => {
    const window = openWindow("softbox.mjs", { columns: 80, rows: 24, env: { ARGS: JSON.stringify(given) } });
    onTestFinished(() => window.end());
    return window;
  };
  const window = open(...args, ...small);
  await window.until(/step [1-9][\d,]* of 100,000/, 60_000);
  window.type(" ");
  await window.until(/‖ paused/);
  window.type("w");
  await window.until(/saved [1-9]\d*/);
  expectInside(window, 80, 24);
  window.type(" ");
  await window.until(/▶ training/);
  window.type("q");
  await window.until(/stop, save and leave/);
  window.type("q");
  await expectRestored(window);
  const told = window.history().join("");
  const step = /stopped at step (\d+), saved\. Go on with: softbox train --ui --resume/.exec(told)?.[1];
  expect(readFileSync(join(run, "latest"), "utf8").trim()).toBe(`step-${step!.padStart(6, "0")}`);

  const replay = open("train", "--ui", "--resume", run, "--steps", step!);
  await replay.until(/replay/, 60_000);
  replay.type("e");
  await replay.until(new RegExp(`finished {2}step ${step!.replace(/\B(?=(\d{3})+$)/g, ",")} of`));
  replay.type("q");
  await expectRestored(replay);
});
