/** @file `softbox runs` over real folders: as a table, and on a screen in a real terminal. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { useEngine } from "../../src/engine/engine.ts";
import { softbox } from "../support/cli.ts";
import { tinyRun, trainFresh } from "../support/runs.ts";
import { expectInside, expectRestored } from "./playWindow.ts";
import { openWindow } from "./window.ts";

const root = mkdtempSync(join(tmpdir(), "softbox-runs-"));
const checkpoints = join(root, "checkpoints");
beforeAll(async () => {
  await useEngine("cpu");
  writeFileSync(join(root, "text.txt"), "the whale and the sea. ".repeat(60));
  for (const head of ["softmax", "mos:2"])
    await trainFresh(tinyRun(join(root, "text.txt"), head), join(checkpoints, head.replace(":", "-")));
  mkdirSync(join(checkpoints, "broken"));
  writeFileSync(join(checkpoints, "broken", "config.json"), "{");
}, 60_000);
afterAll(() => rmSync(root, { recursive: true }));

test("ls prints a line a run, the best first, damaged ones last; as JSON too", async () => {
  const { out, code } = await softbox(root, ["runs", "ls"]);
  expect(code).toBe(0);
  const lines = out.trim().split("\n");
  expect(lines[0]).toMatch(/^run +bits\/byte +best nats/);
  expect(
    lines
      .slice(1, 3)
      .map((line) => line.split(" ")[0])
      .sort(),
  ).toEqual(["mos-2", "softmax"]);
  expect(lines[3]).toMatch(/^broken .*damaged/);
  const json = await softbox(root, ["runs", "--json", checkpoints]);
  expect(JSON.parse(json.out).length).toBe(3);
  const piped = await softbox(root, ["runs", "--ui"]);
  expect([piped.code, piped.out]).toEqual([0, out]);
});

test("a name that is no run is told, and an empty place too", async () => {
  const wrong = await softbox(root, ["runs", "nowhere"]);
  expect(wrong.code).toBe(1);
  expect(wrong.err).toContain('"nowhere" is neither ls nor show nor tag nor note nor rm nor diff nor a run');
  mkdirSync(join(root, "empty"));
  const empty = await softbox(join(root, "empty"), ["runs"]);
  expect([empty.code, empty.err]).toEqual([0, "there is no run in checkpoints; softbox train makes one\n"]);
});

test.each([
  [120, 40],
  [80, 24],
  [60, 20],
  [40, 10],
] as const)("%i×%i: curves and table fit, every key works", async (columns, rows) => {
  const args = JSON.stringify(["runs", "--ui", checkpoints]);
  const window = openWindow("softbox.mjs", { columns, rows, env: { ARGS: args } });
  onTestFinished(() => window.end());
  await window.until(/▸ a/);
  for (const [keys, wanted] of [
    ["\t", /validation loss/],
    ["l", /log y/],
    [" ", /▸ {3}/],
    [" ", /▸ a/],
    ["\x1b[B", /▸ b/],
    ["?", /─ help/],
    ["\x1b", /▸ b/],
  ] as const) {
    window.type(keys);
    await window.until(wanted);
    expectInside(window, columns, rows);
  }
  window.type("\x1b[B\x1b[B");
  await window.until(/✗ run/);
  window.type("q");
  await expectRestored(window);
});
