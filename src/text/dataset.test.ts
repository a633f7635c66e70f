import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createCorpus } from "./corpus.ts";
import { type DatasetOptions, prepareDataset } from "./dataset.ts";
import { splitNames } from "./splits.ts";
import { createTokenizer, tokenizerKinds } from "./tokenizer.ts";

const shares = { train: 0.8, validation: 0.1, calibration: 0.1 };
const corpus = createCorpus("small", ["Call me Ishmael. — Some years ago 🐋\n".repeat(60)]);

let cacheFolder: string;
beforeEach(() => {
  cacheFolder = mkdtempSync(join(tmpdir(), "softbox-cache-"));
});
afterEach(() => rmSync(cacheFolder, { recursive: true, force: true }));

const prepare = (options: Partial<DatasetOptions> = {}) =>
  prepareDataset({ corpus, tokenizer: "gpt2-compact", shares, cacheFolder, ...options });

const cacheFile = (ending: string): string =>
  join(cacheFolder, readdirSync(cacheFolder).find((name) => name.endsWith(ending))!);

test.each(tokenizerKinds.filter((kind) => kind !== "word"))(
  "with %s the splits decode to the text, and their sizes are its sizes",
  async (tokenizer) => {
    const dataset = await prepare({ tokenizer });
    const parts = splitNames.map((name) => dataset.splits[name]);
    expect(parts.map(({ ids }) => dataset.tokenizer.decode(ids)).join("")).toBe(corpus.text);
    expect(parts.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(corpus.bytes);
    expect(parts.reduce((sum, { characters }) => sum + characters, 0)).toBe([...corpus.text].length);
  },
);

test.each(tokenizerKinds)("with %s a hit of the cache equals the miss", async (tokenizer) => {
  const miss = await prepare({ tokenizer });
  const hit = await prepare({ tokenizer });
  expect([miss.fromCache, hit.fromCache]).toEqual([false, true]);
  expect(hit.splits).toEqual(miss.splits);
  expect(hit.tokenizer.hash).toBe(miss.tokenizer.hash);
  expect(readdirSync(cacheFolder)).toHaveLength(2);
});

test("a tokenizer at hand is used as it is", async () => {
  const tokenizer = createTokenizer("gpt2-compact", "Call me");
  const dataset = await prepare({ tokenizer });
  expect(dataset.tokenizer.hash).toBe(tokenizer.hash);
  expect(dataset.splits.train.ids).toContain(tokenizer.unknown);
  expect((await prepare({ tokenizer })).fromCache).toBe(true);
  expect((await prepare()).fromCache).toBe(false);
});

test("other shares, another text or another tokenizer do not hit", async () => {
  await prepare();
  expect((await prepare({ shares: { train: 0.9, validation: 0.1, calibration: 0 } })).fromCache).toBe(false);
  expect((await prepare({ corpus: createCorpus("small", [`${corpus.text}x`]) })).fromCache).toBe(false);
  expect((await prepare({ tokenizer: "byte" })).fromCache).toBe(false);
});

test("a damaged or foreign cache is rebuilt", async () => {
  const { splits } = await prepare();
  const damages: (() => void)[] = [
    () => flipByte(cacheFile(".ids"), 100),
    () => writeFileSync(cacheFile(".ids"), readFileSync(cacheFile(".ids")).subarray(0, 50)),
    () => rmSync(cacheFile(".ids")),
    () => rmSync(cacheFile(".json")),
    () => writeFileSync(cacheFile(".json"), "{"),
    () => writeFileSync(cacheFile(".json"), "null"),
    () => edit((text) => text.replace(/"bytes":\d+/, '"bytes":1')),
    () => edit((text) => text.replace(corpus.sha256, "0".repeat(64))),
    () => edit((text) => text.replace('"gpt2":[', '"gpt2":[7,')),
  ];
  const edit = (change: (text: string) => string) =>
    writeFileSync(cacheFile(".json"), change(readFileSync(cacheFile(".json"), "utf8")));
  for (const damage of damages) {
    damage();
    const rebuilt = await prepare();
    expect(rebuilt.fromCache).toBe(false);
    expect(rebuilt.splits).toEqual(splits);
    expect((await prepare()).fromCache).toBe(true);
  }
});

test("any single damaged byte of the small file is noticed or harmless", async () => {
  const { splits } = await prepare();
  const file = cacheFile(".json");
  const good = readFileSync(file);
  for (let at = 0; at < good.length; at += 7) {
    flipByte(file, at);
    expect((await prepare()).splits).toEqual(splits);
    writeFileSync(file, good);
  }
});

test("a folder that cannot be written is no failure", async () => {
  const blocked = join(cacheFolder, "file");
  writeFileSync(blocked, "not a folder");
  const dataset = await prepare({ cacheFolder: join(blocked, "cache") });
  expect(dataset.fromCache).toBe(false);
  chmodSync(cacheFolder, 0o500);
  expect((await prepare()).splits).toEqual(dataset.splits);
  chmodSync(cacheFolder, 0o700);
});

test("the cache holds raw little-endian ids", async () => {
  const { splits } = await prepare();
  const raw = readFileSync(cacheFile(".ids"));
  expect(raw.readInt32LE(4)).toBe(splits.train.ids[1]);
  expect(raw.length).toBe(4 * splitNames.reduce((sum, name) => sum + splits[name].ids.length, 0));
});

test("a split shorter than a window is refused, unless it was to be empty", async () => {
  await expect(prepare({ contextLength: 100 })).rejects.toThrowErrorMatchingInlineSnapshot(
    `[SandboxError: validation split: must hold at least 101 tokens (a context of 100 and one to predict), got 84]`,
  );
  const noCalibration = { train: 0.5, validation: 0.5, calibration: 0 };
  const dataset = await prepare({ contextLength: 100, shares: noCalibration });
  expect(dataset.splits.calibration).toEqual({ ids: new Int32Array(0), bytes: 0, characters: 0 });
});

function flipByte(file: string, at: number): void {
  const bytes = readFileSync(file);
  bytes[at] = bytes[at]! ^ 1;
  writeFileSync(file, bytes);
}
