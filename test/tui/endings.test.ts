/** @file However `softbox play` ends, the terminal is as it was before. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { expectInside, expectRestored, play, startPlay } from "./playWindow.ts";

test.each(["SIGTERM", "SIGHUP", "SIGINT"])("%s gives the terminal back", async (signal) => {
  const window = await play();
  window.type("\r");
  await window.until(/running/);
  window.kill(signal);
  await expectRestored(window);
  expect(window.history().join("")).toContain(`end signal ${signal}`);
});

test("an error thrown while drawing gives the terminal back and comes out of runPlay", async () => {
  const window = await play(80, 24, { THROW: "render" });
  window.type("\x1b[C");
  await expectRestored(window);
  expect(window.history().join("\n")).toMatch(/^thrown .+ raw false/m);
});

test("an error thrown by somebody else gives the terminal back, and its stack can be read", async () => {
  const window = await play(80, 24, { THROW: "later" });
  window.type("\x1b[C");
  await expectRestored(window);
  expect(window.history().join("\n")).toContain("Error: thrown by somebody else");
});

test("without a terminal it says so instead of drawing", async () => {
  const window = startPlay({ env: { REDIRECT: "</dev/null" } });
  await window.exit();
  expect(window.history().join("\n")).toContain("thrown play: stdin must be a terminal");
});

test("a model that does not load is shown, and q still quits", async () => {
  const window = startPlay({ env: { BROKEN: "open" } });
  await window.until(/✗ open: the model has left → start again/);
  window.type(" q");
  await expectRestored(window);
});

test("a long run leaves no performance entries behind", async () => {
  const window = await play();
  window.type("\r");
  await window.until((text) => Number(/text · ([\d,]+) tokens/.exec(text)?.[1]?.replaceAll(",", "")) > 150);
  expectInside(window, 80, 24);
  // Likely and unlikely tokens in different colours, the unlikely ones underlined too.
  for (const look of ["32m", "36m", "4m", "31m"]) expect(window.written()).toContain(`\x1b[${look}`);
  window.type("q");
  await window.exit();
  expect(window.history().join("")).toContain("measures 0");
});

test("a terminal that goes away ends the program and closes the model", async () => {
  const folder = mkdtempSync(join(tmpdir(), "softbox-tui-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const calls = join(folder, "calls");
  const window = await play(80, 24, { SLOW: "20", CALLS: calls });
  window.type("\r");
  await window.until(/running/);
  window.hangUp();
  await vi.waitUntil(() => existsSync(calls) && readFileSync(calls, "utf8").includes("close"), 5000);
});
