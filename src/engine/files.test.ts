import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { explainFailure, replaceFile, writeSynced } from "./files.ts";

let here: string;
beforeEach(() => {
  here = mkdtempSync(join(tmpdir(), "softbox-"));
});
afterEach(() => rmSync(here, { recursive: true, force: true }));

test("a file is replaced as a whole, and nothing is left beside it", async () => {
  const path = join(here, "latest");
  await replaceFile(path, "a long first content\n");
  await replaceFile(path, "short\n");
  expect(readFileSync(path, "utf8")).toBe("short\n");
  expect(readdirSync(here)).toEqual(["latest"]);
});

test("chunks come one after another", async () => {
  await writeSynced(join(here, "file"), [Buffer.from("ab"), Buffer.alloc(0), Buffer.from("c")]);
  expect(readFileSync(join(here, "file"), "utf8")).toBe("abc");
});

test("a path through a file is told as such", async () => {
  writeFileSync(join(here, "file"), "");
  await expect(replaceFile(join(here, "file/latest"), "x")).rejects.toMatchObject({
    name: "SandboxError",
    message: `${join(here, "file/latest")}: cannot be written (ENOTDIR)`,
    hint: "A part of this path is a file: choose another folder.",
  });
});

test("a full disk is the user's to put right, another failure stays what it is", () => {
  const refusal = (code: string): Error => Object.assign(new Error("refused"), { code });
  expect(explainFailure("run/x", refusal("ENOSPC"))).toMatchObject({
    message: "run/x: cannot be written (ENOSPC)",
    hint: "The disk is full: free some space and go on; what was saved before is whole.",
  });
  for (const error of [refusal("EBADF"), new TypeError("bug"), "text"]) expect(explainFailure("x", error)).toBe(error);
});
