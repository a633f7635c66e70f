/** @file `softbox train --ui` in a real terminal, driven by keys as a person would. */
import { expect, onTestFinished, test } from "vitest";
import { expectInside, expectRestored } from "./playWindow.ts";
import { openWindow, type Window, type WindowOptions } from "./window.ts";

async function train(columns = 80, rows = 24, env: WindowOptions["env"] = {}): Promise<Window> {
  const window = openWindow("train.mjs", { columns, rows, env });
  onTestFinished(() => window.end());
  return window;
}

const someSteps = /step \d\d+ of 100,000/;

test.each([
  [120, 40],
  [80, 24],
  [60, 20],
  [40, 10],
] as const)("%i×%i: every panel fits, every key works, and the terminal is given back", async (columns, rows) => {
  const window = await train(columns, rows);
  await window.until(someSteps);
  expectInside(window, columns, rows);
  for (const [keys, wanted] of [
    ["2", /learning rate/],
    ["3", /gradient norm/],
    ["4", /tokens a second/],
    ["5", /after Call me at step \d+/],
    ["6", /sample at step \d+[\s\S]*Call me ␛\[31m/],
    ["7", /warnings · 0/],
    ["\t", /loss in nats/],
    ["l", /log y/],
    ["x", /log xy/],
    ["?", /─ help/],
    ["\x1b", /loss in nats/],
  ] as const) {
    window.type(keys);
    await window.until(wanted);
    expectInside(window, columns, rows);
  }
  window.type("q");
  await window.until(/stop, save/);
  window.type("n");
  await window.until(/^(?![\s\S]*stop, save)/);
  window.type("qq");
  await expectRestored(window);
  expect(window.history().join("")).toMatch(/end stopped - step \d+ measures 0 raw false/);
});

test("space pauses, w saves a paused run, space goes on", async () => {
  const window = await train();
  await window.until(someSteps);
  window.type(" ");
  await window.until(/‖ paused/);
  window.type("w");
  await window.until(/saved \d+/);
  const paused = /step (\d+) of/.exec(window.text())![1];
  window.type("l");
  await window.until(/log y/);
  expect(window.text()).toContain(`step ${paused} of`);
  window.type(" ");
  await window.until((text) => Number(/step (\d+) of/.exec(text)?.[1]) > Number(paused));
});

test("a finished run stays on the screen until q", async () => {
  const window = await train(80, 24, { STEPS: "20" });
  await window.until(/✓ finished[\s\S]*trained and saved in tiny/);
  window.type("q");
  await expectRestored(window);
  expect(window.history().join("\n")).toContain("end finished - step 20");
});

test.each(["SIGTERM", "SIGHUP", "SIGINT"])("%s stops, saves and gives the terminal back", async (signal) => {
  const window = await train();
  await window.until(someSteps);
  window.kill(signal);
  await expectRestored(window);
  expect(window.history().join("\n")).toContain(`end stopped ${signal}`);
});

test("ctrl-c stops and saves without asking", async () => {
  const window = await train();
  await window.until(someSteps);
  window.type("\x03");
  await expectRestored(window);
  expect(window.history().join("\n")).toContain("end stopped -");
});

test("an error thrown while drawing gives the terminal back", async () => {
  const window = await train(80, 24, { THROW: "render" });
  await expectRestored(window);
  expect(window.history().join("\n")).toMatch(/^thrown .+ raw false/m);
});

test("a run that does not open, and one that dies, are shown with what to do", async () => {
  const closed = await train(80, 24, { BROKEN: "open" });
  await closed.until(/✗ run tiny: process 7 is training it → wait for it/);
  closed.type("q");
  await expectRestored(closed);
  const dead = await train(80, 24, { BROKEN: "later" });
  await dead.until(/✗ failed[\s\S]*✗ the thread died → train --resume it/);
  dead.type("q");
  await expectRestored(dead);
});

test("a resize redraws the whole screen and wipes no history", async () => {
  const window = await train(120, 40);
  await window.until(someSteps);
  for (const [columns, rows] of [
    [40, 10],
    [80, 24],
    [120, 40],
  ] as const) {
    window.resize(columns, rows);
    await window.until(
      (text) => text.split("\n").some((line) => line.startsWith("─") && line.length === columns) || columns >= 100,
    );
    await window.until(/quit|pause/);
    expectInside(window, columns, rows);
  }
  window.type("\x03");
  await expectRestored(window);
});
