/** @file Temporary folders and a small text. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { createRandomStream, randomKey } from "../../src/engine/random.ts";

/** An empty folder that goes when the file's tests are over. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "softbox-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const words = "the whale sea ship captain and of a in white old man sails wind".split(" ");

/** Some 12,000 characters of random words in lines: 18 different characters, the same at every call. */
export function smallText(): string {
  const random = createRandomStream(randomKey(1, "text"));
  const line = (): string => `${Array.from({ length: 12 }, () => words[random.below(words.length)]).join(" ")}.`;
  return `${Array.from({ length: 210 }, line).join("\n")}\n`;
}

/** Writes the small text into `folder`; returns its path. */
export function writeSmallText(folder: string): string {
  const path = join(folder, "text.txt");
  writeFileSync(path, smallText());
  return path;
}
