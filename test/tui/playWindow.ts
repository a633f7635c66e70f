/** @file The play screen in a window, and what must hold of it. */
import { expect, onTestFinished } from "vitest";
import { openWindow, type Window, type WindowOptions } from "./window.ts";

/** A window in which the play screen has been started; it is closed when the test ends. */
export function startPlay({ columns = 80, rows = 24, env = {} }: Partial<WindowOptions> = {}): Window {
  const window = openWindow("play.mjs", { columns, rows, env });
  onTestFinished(() => window.end());
  return window;
}

/** A window with the play screen on it, ready for keys. */
export async function play(columns = 80, rows = 24, env: WindowOptions["env"] = {}): Promise<Window> {
  const window = startPlay({ columns, rows, env });
  await window.until(/▸ 1 0\.\d{4}/);
  return window;
}

/** Rank, final and raw probability of every bar on the screen. */
export function bars(text: string) {
  return [...text.matchAll(/^[▸ ] ?(\d+) (0\.\d{4}|1\.0000|cut {3}) (\d\.\d{4}) /gm)].map(([, rank, final, raw]) => ({
    rank: Number(rank),
    final: Number(final),
    raw: Number(raw),
  }));
}

/** What must hold of every frame: the last line is free, nothing is wider than the window. */
export function expectInside(window: Window, columns: number, rows: number) {
  const lines = window.lines();
  expect(lines).toHaveLength(rows);
  expect(lines.at(-1)).toBe("");
  expect(lines[0]).not.toBe("");
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(columns);
}

/** What must hold afterwards: cursor, buffer, paste mode and line discipline as before, history whole and in order. */
export async function expectRestored(window: Window) {
  await window.exit();
  const written = window.written();
  const last = (sequence: string) => written.lastIndexOf(sequence);
  expect(last("\x1b[?25h")).toBeGreaterThan(last("\x1b[?25l"));
  expect(last("\x1b[?1049l")).toBeGreaterThan(last("\x1b[?1049h"));
  expect(last("\x1b[?2004l")).toBeGreaterThan(last("\x1b[?2004h"));
  expect(written).not.toContain("\x1b[3J");
  const history = window.history().join("\n");
  expect(history).toMatch(/^earlier line 1\n(earlier line \d\n){7}earlier line 9\n/);
  expect(history).toContain("line discipline: icanon echo");
  expect(history).not.toContain("▸");
}
