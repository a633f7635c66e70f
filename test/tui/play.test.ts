/** @file `softbox play` in a real terminal, driven by keys as a person would, over a tiny honest model. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { bars, expectInside, expectRestored, play } from "./playWindow.ts";

test.each([
  [120, 40],
  [80, 24],
  [60, 20],
  [40, 10],
] as const)("%i×%i: text, bars and settings fit, and the terminal is given back", async (columns, rows) => {
  const window = await play(columns, rows, { MIXTURE: "1" });
  expectInside(window, columns, rows);
  expect(window.text()).toContain("Call me Ishmael");
  window.type(" ".repeat(9));
  window.type("\x1b[C".repeat(6));
  await window.until(/(T|temperature) 1\.30/);
  window.type("?");
  await window.until(/sample one token/);
  expectInside(window, columns, rows);
  window.type("?");
  await window.until(/▸/);
  expectInside(window, columns, rows);
  window.type("q");
  await expectRestored(window);
  expect(window.history().join("")).toContain("end quit - measures 0 raw false");
});

test("every key works", async () => {
  const window = await play();
  const press = async (keys: string, wanted: RegExp) => {
    window.type(keys);
    return window.until(wanted);
  };
  await press("\x1b[C", /temperature 1\.05/);
  await press("-", /temperature 1\.00/);
  await press("k", /top-k 200/);
  await press("K", /top-k off/);
  await press("n", /top-p 0\.99/);
  await press("N", /top-p off/);
  await press("I", /min-p 0\.001/);
  await press("i", /min-p off/);
  await press("\x1b[B\x1b[B", /▸ 3 /);
  await press("\x1b[6~", /▸13 /);
  await press("\x1b[5~\x1b[A", /▸ 2 /);
  await press(" ", /4 tokens/);
  const token = /^ {2}2 .*␣(\S+)/m.exec(window.text())?.[1];
  await press("2", /5 tokens/);
  expect(window.text()).toContain(`${token}▏`);
  await press("\x1b[B\t", /6 tokens/);
  await press("\x7f\x7f", /4 tokens/);
  await press("r", /seed 8[\s\S]*3 tokens/);
  await press(" ", /4 tokens/);
  await press("R", /seed 8[\s\S]*3 tokens/);
  await press("\r", /running/);
  await press("\r", /^(?![\s\S]*running)/);
  await press("e", /─ prompt/);
  await press("\x15Moby\x1b[Dq", /Mobqy/);
  await press("\r", /─ text · 1 token [\s\S]*Mobqy/);
  await press("/ x", /Mobqy x/);
  await press("\x1b", /space step/);
  await press("?", /─ help/);
  await press("\x1b", /─ text/);
  await press("\x0c", /─ text/);
  window.type("\x03");
  await expectRestored(window);
});

test("the bars follow the formula of temperature", async () => {
  const window = await play(80, 24);
  for (const [keys, temperature] of [
    ["\x1b[D".repeat(10), 0.5],
    ["\x1b[C".repeat(30), 2],
  ] as const) {
    window.type(keys);
    const text = await window.until(
      (shown) => shown.includes(`temperature ${temperature.toFixed(2)}`) && settled(shown, temperature),
    );
    const [first, ...rest] = bars(text);
    for (const bar of rest.filter(({ raw }) => raw > 0.02)) {
      expect(bar.final / first!.final).toBeCloseTo((bar.raw / first!.raw) ** (1 / temperature), 2);
    }
  }
  window.type("\x1b[D".repeat(60));
  await window.until(/temperature 0 \(greedy\)[\s\S]*▸ 1 1\.0000/);
});

function settled(text: string, temperature: number): boolean {
  const [first, second] = bars(text);
  if (first === undefined || second === undefined) return false;
  const ratio = (second.raw / first.raw) ** (1 / temperature);
  return Math.abs(second.final / first.final - ratio) < 0.01;
}

test("filtered tokens stay in sight, marked as cut", async () => {
  const window = await play();
  window.type("k".repeat(8));
  const text = await window.until(/ 4 cut/);
  expect(bars(text).filter(({ final }) => Number.isNaN(final)).length).toBeGreaterThan(5);
});

test("odd tokens break no column", async () => {
  const window = await play(60, 30);
  window.type("\x1b[C".repeat(80));
  await window.until(/T 5\.00/);
  for (const tokens of [13, 23, 33]) {
    window.type(" ".repeat(10));
    await window.until(new RegExp(`text · ${tokens} tokens`));
  }
  expectInside(window, 60, 30);
  for (let down = 0; down < 40; down++) window.type("\x1b[B");
  await window.until(/▸40 /);
  const ranks = bars(window.text()).map(({ rank }) => rank);
  expect(ranks).toEqual(Array.from({ length: ranks.length }, (_, index) => ranks[0]! + index));
  expect(window.written()).not.toContain("\x1b[31mm");
});

test("a resize redraws the whole screen and wipes no history", async () => {
  const window = await play(120, 40);
  for (const [columns, rows] of [
    [40, 10],
    [80, 24],
    [79, 12],
    [120, 40],
  ] as const) {
    window.resize(columns, rows);
    await window.until((text) => text.split("\n").some((line) => line.startsWith("─") && line.length === columns));
    await window.until(/quit|help/);
    expectInside(window, columns, rows);
  }
  window.type("\x1b[C");
  await window.until(/temperature 1\.05/);
  window.type("q");
  await expectRestored(window);
});

test("keys are answered while a slow model runs, and turned dials ask it only as often as it answers", async () => {
  const folder = mkdtempSync(join(tmpdir(), "softbox-tui-"));
  const calls = join(folder, "calls");
  const window = await play(80, 24, { SLOW: "150", CALLS: calls });
  window.type("\x1b[C".repeat(12));
  await window.until(/temperature 1\.60/);
  await window.until((text) => settled(text, 1.6));
  const looks = readFileSync(calls, "utf8")
    .split("\n")
    .filter((call) => call.startsWith("look"));
  expect(looks.length).toBeLessThanOrEqual(8);
  expect(looks.at(-1)).toBe("look 1.6");
  rmSync(folder, { recursive: true });
});

test("a call that fails is shown with its hint and leaves the keys alive", async () => {
  const window = await play(80, 24, { BROKEN: "step,pick" });
  window.type("\r");
  await window.until(/✗ step: the model has left → start again/);
  window.type("1");
  await window.until(/✗ pick: the model has left/);
  window.type("\x1b[C");
  await window.until(/temperature 1\.05/);
});

test("a paste is text, whatever is in it", async () => {
  const window = await play();
  window.type("\x1b[200~ and\rquit\x1b[2Jq\x1b[201~");
  await window.until(/─ prompt[\s\S]*Ishmael and⏎\nquit\[2Jq/);
  window.type("\r");
  await window.until(/─ text · 5 tokens/);
});

test.each([
  [120, 40],
  [80, 24],
  [60, 20],
  [40, 10],
] as const)("%i×%i: every page below the text fits, and its keys work", async (columns, rows) => {
  const window = await play(columns, rows, { MIXTURE: "1" });
  const press = async (keys: string, wanted: RegExp) => {
    window.type(keys);
    await window.until(wanted);
    expectInside(window, columns, rows);
  };
  await press("b", /kept as branch 1/);
  await press(" ", /^(?![\s\S]*kept)/);
  await window.until(/▸ 1 0/);
  await press("3", /▸ 1 0/);
  await press("y", /tree · 1 branch/);
  await press("b", /tree · 2 branches/);
  await press("x", /◆/);
  await press("\x1b[A", /▸ ?1/);
  await press("\r", /tree/);
  await press("f", /settings · 1 of/);
  await press("\x1b[B\x1b[B\x1b[D", /▸ top-p +0\.99/);
  await press("\x1b[C", /▸ top-p +off +8\./);
  await press("<", /▸ top-p +off +7\./);
  await press(">>", /▸ top-p +off +9\./);
  await press("\x1b[A".repeat(3), /▸ dynamic-exponent +1 +16\./);
  await press("\x1b[B".repeat(12), /▸ mirostat-rate +0\.1 +15\./);
  await press("m", /mixture · 3 components/);
  await press("a", /attention · layer 1\/3, head 1\/4/);
  await press("\x1b[C", /head 2\/4/);
  await press("\x1b[B", /layer 2\/3/);
  await press("l", /logit lens/);
  await press("p", /film · step 300, frame 3 of 3/);
  await press("\x1b[D", /frame 2 of 3/);
  await press("t", /side by side · temperature 2\.00/);
  await press("\x1b[C", /temperature 2\.10/);
  await press("\t", /side by side · step 400/);
  await press("s", /saved play-1\.json/);
  await press("?", /─ help/);
  await press("\x1b", /▸ 1 0/);
  window.type("q");
  await expectRestored(window);
});

test("a page that the model cannot fill says why, and the text goes on", async () => {
  const window = await play(80, 24, { BROKEN: "mixture" });
  window.type("m");
  await window.until(/mixture: nothing to see → train another/);
  window.type(" ");
  await window.until(/4 tokens/);
});

test("a screen that was stopped comes back whole", async () => {
  const window = await play();
  window.kill("SIGCONT");
  window.type("\x1b[C");
  await window.until(/temperature 1\.05[\s\S]*quit/);
  expectInside(window, 80, 24);
  window.type("q");
  await expectRestored(window);
});
