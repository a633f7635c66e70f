import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createRandomStream, randomKey } from "../../engine/random.ts";
import { checkCheckpointFolder, writeCheckpointFolder } from "./folder.ts";

let here: string;
let folder: string;
beforeEach(() => {
  here = mkdtempSync(join(tmpdir(), "softbox-"));
  folder = join(here, "step-000001");
});
afterEach(() => rmSync(here, { recursive: true, force: true }));

const files = { "a.bin": [Buffer.from("hello "), Buffer.from("world")], "b.json": [Buffer.from("{}\n")] };
const manifest = (): string => readFileSync(join(folder, "manifest.json"), "utf8");
const refusal = (message: string) => ({
  name: "SandboxError",
  message: `checkpoint ${folder}: ${message}`,
  hint: expect.any(String),
});

test("what is written is read, file by file, and nothing else is left in the place", async () => {
  await writeCheckpointFolder(folder, files);
  const read = await checkCheckpointFolder(folder);
  expect(Object.fromEntries([...read].map(([name, path]) => [name, readFileSync(path, "utf8")]))).toEqual({
    "a.bin": "hello world",
    "b.json": "{}\n",
  });
  expect(readdirSync(here)).toEqual(["step-000001"]);
});

test("a folder that was there before is replaced as a whole", async () => {
  await writeCheckpointFolder(folder, { old: [Buffer.from("1")], ...files });
  await writeCheckpointFolder(folder, { new: [Buffer.from("2")] });
  expect([...(await checkCheckpointFolder(folder)).keys()]).toEqual(["new"]);
  expect(readdirSync(here)).toEqual(["step-000001"]);
});

test("a place that cannot be written is told with a hint, and nothing half-written stays", async () => {
  writeFileSync(join(here, "file"), "");
  await expect(writeCheckpointFolder(join(here, "file/step-000001"), files)).rejects.toMatchObject({
    name: "SandboxError",
    message: expect.stringContaining("cannot be written (ENOTDIR)"),
  });
  expect(readdirSync(here)).toEqual(["file"]);
});

test("a write that fails in the middle leaves the old folder and nothing beside it", async () => {
  await writeCheckpointFolder(folder, files);
  const broken = { "a.bin": [Buffer.from("new")], "b.json": ["not bytes" as never, null as never] };
  await expect(writeCheckpointFolder(folder, broken)).rejects.toThrow();
  expect([...(await checkCheckpointFolder(folder)).keys()]).toEqual(["a.bin", "b.json"]);
  expect(readdirSync(here)).toEqual(["step-000001"]);
});

describe("reading refuses", () => {
  beforeEach(() => writeCheckpointFolder(folder, files));

  test.each([
    ["a truncated file", () => writeFileSync(join(folder, "a.bin"), "hello"), "a.bin has 5 bytes, expected 11"],
    [
      "one flipped bit",
      () => writeFileSync(join(folder, "a.bin"), "hello worle"),
      "a.bin was altered (its SHA-256 differs)",
    ],
    ["a missing file", () => rmSync(join(folder, "b.json")), "b.json is missing"],
    ["a missing manifest", () => rmSync(join(folder, "manifest.json")), "it has no manifest.json"],
    [
      "a manifest that is no JSON",
      () => writeFileSync(join(folder, "manifest.json"), manifest().slice(0, 40)),
      "its manifest.json is not JSON",
    ],
    [
      "a name that leads out of the folder",
      () => writeFileSync(join(folder, "manifest.json"), manifest().replace('"a.bin"', '"../a.bin"')),
      'its manifest names "../a.bin", which is no plain file name',
    ],
  ])("%s", async (_, damage, message) => {
    damage();
    await expect(checkCheckpointFolder(folder)).rejects.toMatchObject(refusal(message));
  });

  test("a manifest of a newer form, whatever else is in it, and says who can read it", async () => {
    writeFileSync(join(folder, "manifest.json"), '{ "version": 2, "something": "new" }');
    await expect(checkCheckpointFolder(folder)).rejects.toMatchObject({
      ...refusal("written in form 2, this softbox reads up to 1"),
      hint: "Use the newer softbox that wrote it.",
    });
  });

  test.each(["null", "[]", "{}", '{"format":"softbox-checkpoint","version":1}', '{"version":"2"}'])(
    "the manifest %s",
    async (content) => {
      writeFileSync(join(folder, "manifest.json"), content);
      await expect(checkCheckpointFolder(folder)).rejects.toMatchObject({
        name: "SandboxError",
        message: expect.stringContaining("its manifest.json is damaged:"),
      });
    },
  );

  test("a folder that is not there, and a file in place of one", async () => {
    await expect(checkCheckpointFolder(join(here, "nothing"))).rejects.toMatchObject({ name: "SandboxError" });
    writeFileSync(join(here, "file"), "");
    await expect(checkCheckpointFolder(join(here, "file"))).rejects.toMatchObject({ name: "SandboxError" });
  });

  test("a file that is a folder", async () => {
    rmSync(join(folder, "a.bin"));
    mkdirSync(join(folder, "a.bin"));
    await expect(checkCheckpointFolder(folder)).rejects.toMatchObject(refusal("a.bin is missing"));
  });
});

test("300 damaged folders are refused or read exactly as they were; none gives another error", async () => {
  await writeCheckpointFolder(folder, files);
  const names = ["a.bin", "b.json", "manifest.json"];
  const whole = Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name))]));
  const read = await checkCheckpointFolder(folder);
  const random = createRandomStream(randomKey(2, "mutations"));
  let refused = 0;
  for (let i = 0; i < 300; i++) {
    const name = names[i % 3]!;
    const content = Buffer.from(whole[name]!);
    const at = random.below(content.length);
    if (i % 2) content[at]! ^= 1 << random.below(8);
    writeFileSync(join(folder, name), i % 2 ? content : content.subarray(0, at));
    await checkCheckpointFolder(folder).then(
      (now) => expect(now).toEqual(read), // e.g. a flipped bit in the manifest's white space
      (error) => {
        expect(error).toMatchObject({ name: "SandboxError" });
        refused++;
      },
    );
    writeFileSync(join(folder, name), whole[name]!);
  }
  expect(refused).toBeGreaterThan(270);
  expect(existsSync(folder)).toBe(true);
});
