/** @file The user's own text: a file, a folder, a glob, JSON lines. */
import { constants } from "node:buffer";
import { stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { glob, isDynamicPattern } from "tinyglobby";
import { SandboxError } from "../../engine/errors.ts";
import { didYouMean } from "../../engine/nearest.ts";
import { readJsonLines } from "./jsonLines.ts";
import { byNaturalOrder } from "./naturalOrder.ts";
import { type ReadOptions, readTextFile } from "./textFile.ts";

export type { ReadOptions } from "./textFile.ts";

/**
 * Reads what `source` names: files in natural order, one document each (JSON lines: one a line).
 *
 * @param names - the corpora that softbox brings, to suggest one.
 */
export async function readUserDocuments(
  source: string,
  names: readonly string[],
  options: ReadOptions,
): Promise<{ name: string; documents: string[] }> {
  const { name, files } = await findFiles(source, names);
  await expectReadableSize(source, files);
  const documents: string[] = [];
  for (const file of files) {
    const text = await readTextFile(file, options);
    if (file.endsWith(".jsonl")) documents.push(...readJsonLines(file, text, options));
    else documents.push(text);
  }
  return { name, documents: documents.filter((text) => text !== "") };
}

async function findFiles(source: string, names: readonly string[]): Promise<{ name: string; files: string[] }> {
  const kind = await kindOf(source);
  if (kind === "file") return { name: basename(source), files: [source] };
  if (kind === "folder") return { name: basename(resolve(source)), files: await filesInFolder(source) };
  if (!isDynamicPattern(source)) throw missing(source, names);
  const files = await glob(source, { expandDirectories: false });
  if (files.length > 0) return { name: source, files: files.sort(byNaturalOrder) };
  throw new SandboxError(`corpus ${source}: no file matches`, `The pattern is read from ${process.cwd()}.`);
}

async function filesInFolder(folder: string): Promise<string[]> {
  const found = await glob("**/*.{txt,md}", { cwd: folder, caseSensitiveMatch: false });
  if (found.length > 0) return found.sort(byNaturalOrder).map((file) => join(folder, file));
  throw new SandboxError(
    `corpus ${folder}: the folder must hold .txt or .md files, got none`,
    `For other files give a quoted glob, such as "${join(folder, "**/*.text")}".`,
  );
}

async function kindOf(source: string): Promise<"file" | "folder" | "nothing"> {
  try {
    return (await stat(source)).isDirectory() ? "folder" : "file";
  } catch {
    return "nothing";
  }
}

function missing(source: string, names: readonly string[]): SandboxError {
  return new SandboxError(
    `corpus ${source}: must be a corpus name (${names.join(", ")}), a file, a folder or a glob; no such thing here`,
    `${didYouMean(source, names)}softbox corpus list shows the corpora at hand.`,
  );
}

/** JavaScript strings end at about 2^29 characters. */
async function expectReadableSize(source: string, files: readonly string[]): Promise<void> {
  let bytes = 0;
  for (const file of files) bytes += (await stat(file).catch(() => ({ size: 0 }))).size; // reading will say what is wrong
  if (bytes <= constants.MAX_STRING_LENGTH) return;
  throw new SandboxError(
    `corpus ${source}: must be at most ${constants.MAX_STRING_LENGTH} bytes, got ${bytes}`,
    "Take a part of it: a glob that matches fewer files.",
  );
}
