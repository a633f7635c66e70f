// The example runs as it stands, on a model that was trained a moment ago.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { softbox, tinyFlags } from "../test/support/cli.ts";
import { temporaryFolder, writeSmallText } from "../test/support/folders.ts";

test("sample.mjs writes twenty tokens with their probabilities", async () => {
  const here = temporaryFolder();
  writeSmallText(here);
  await softbox(here, ["train", ...tinyFlags, "--run", "run", "--steps", "4"]);
  const { stdout, stderr } = spawnSync(process.execPath, ["examples/sample.mjs", join(here, "run")], {
    encoding: "utf8",
  });
  expect(stderr).toBe("");
  const lines = stdout.trim().split("\n");
  expect(lines).toHaveLength(20);
  for (const line of lines) expect(line).toMatch(/^".*" {2}p [01]\.\d\d {2}entropy \d\.\d\d {2}"/);
});
