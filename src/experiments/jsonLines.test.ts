import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { cutLines, openLines, readLines } from "./jsonLines.ts";

let here: string;
let file: string;
beforeEach(() => {
  here = mkdtempSync(join(tmpdir(), "softbox-"));
  file = join(here, "metrics.jsonl");
});
afterEach(() => rmSync(here, { recursive: true, force: true }));

test("lines are appended to what is there, and are on disk after a flush", () => {
  for (const step of [1, 2]) {
    const lines = openLines(file);
    lines.append({ step });
    lines.flush();
    expect(readLines(file)).toHaveLength(step);
    lines.close();
  }
  expect(readFileSync(file, "utf8")).toBe('{"step":1}\n{"step":2}\n');
});

test("a torn last line is left out, a file that is not there is empty", () => {
  writeFileSync(file, '{"step":1}\n{"step":2}\n{"st');
  expect(readLines(file)).toEqual([{ step: 1 }, { step: 2 }]);
  expect(readLines(join(here, "nothing"))).toEqual([]);
});

test("cut back to a step, later lines go, final ones and torn ones, and what is kept stays byte for byte", async () => {
  const kept = '{"step":1,"loss":1e-7}\n{"step":2,"loss":0.30000000000000004}\n';
  writeFileSync(file, kept);
  appendFileSync(file, '{"step":2,"final":true}\n{"step":3}\n{"step":');
  await cutLines(file, 2);
  expect(readFileSync(file, "utf8")).toBe(kept);
});
