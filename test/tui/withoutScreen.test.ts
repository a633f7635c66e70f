/** @file Where no screen can or shall be drawn, the same is said in plain lines, and all is well: exit code 0. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { environment, softbox, tinyFlags } from "../support/cli.ts";
import { openWindow } from "./window.ts";

const folder = mkdtempSync(join(tmpdir(), "softbox-plain-"));
beforeAll(async () => {
  writeFileSync(join(folder, "text.txt"), "the whale and the sea.\tso it goes. 鯨 🐋 e\u0301\n".repeat(60));
  const { code, err } = await softbox(folder, ["train", ...tinyFlags, "--run", "run", "--steps", "20"]);
  expect(code, err).toBe(0);
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true }));

/** Why there is no screen: before the command, after it. */
const reasons = {
  NO_COLOR: { BEFORE: "env NO_COLOR=1" },
  "TERM=dumb": { BEFORE: "env TERM=dumb" },
  "stdout in a file": { REDIRECT: '> "$OUT"; STATUS=$?; cat "$OUT"; (exit $STATUS)' },
  "no raw mode: stdin is no terminal": { REDIRECT: "</dev/null" },
} as const;

/** What a command writes in a window of 60 columns, and its exit code. */
async function inWindow(args: readonly string[], why: (typeof reasons)[keyof typeof reasons]) {
  const { SOFTBOX_CACHE } = environment(folder);
  const env = {
    ...why,
    OUT: join(folder, "out.txt"),
    ARGS: JSON.stringify(args),
    SOFTBOX_CACHE: SOFTBOX_CACHE!,
    STATUS: "1",
  };
  const window = openWindow("softbox.mjs", { columns: 60, rows: 20, env });
  onTestFinished(() => window.end());
  await window.exit();
  return { written: window.written(), history: window.history().join("\n") };
}

describe.each(Object.entries(reasons))("%s", (name, why) => {
  /** Nothing that needs a screen: at most a progress line goes back to its start, and only where that may be. */
  const expectPlain = ({ written, history }: Awaited<ReturnType<typeof inWindow>>) => {
    const codes = written.split("\u001b[").slice(1);
    expect(codes.filter((code) => /^(\?|2J|H|\d*[ABCD])/.test(code))).toEqual([]);
    if (name !== "no raw mode: stdin is no terminal") expect(codes.filter((code) => /^\d+m/.test(code))).toEqual([]);
    expect(history).toContain("exit code 0");
    expect(history).toContain("line discipline: icanon echo");
  };

  test("play prints prompt, distribution and one continuation", async () => {
    const told = await inWindow(["play", join(folder, "run"), "--prompt", "the "], why);
    expectPlain(told);
    expect(told.history).toMatch(/entropy: \d\.\d\d nats[\s\S]*rank +final +raw +token[\s\S]*sampled: 64 tokens/);
  });

  test("train --ui prints what it trains, evaluations, and where it is saved", async () => {
    const run = join(folder, `run-${Object.keys(reasons).indexOf(name)}`);
    const flags = tinyFlags.map((flag) => (flag === "text.txt" ? join(folder, flag) : flag));
    const told = await inWindow(["train", "--ui", ...flags, "--run", run, "--steps", "20"], why);
    expectPlain(told);
    expect(told.history).toMatch(/transformer[\s\S]*validation[\s\S]*run-\d/);
  });

  test("train --ui on a finished run prints its record", async () => {
    const told = await inWindow(["train", "--ui", "--resume", join(folder, "run")], why);
    expectPlain(told);
    expect(told.history).toMatch(/run: transformer softmax[\s\S]*validation/);
  });

  test("runs --ui prints the table", async () => {
    const told = await inWindow(["runs", "--ui", join(folder, "run")], why);
    expectPlain(told);
    expect(told.history).toMatch(/run +bits\/byte/);
  });
});
