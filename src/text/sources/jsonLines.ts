/** @file JSON lines: each line an object with a string field `text`; blank lines are skipped. */
import { SandboxError } from "../../engine/errors.ts";
import { printableText } from "../printable.ts";
import { wellFormed } from "../tokenizers/base.ts";
import type { ReadOptions } from "./textFile.ts";

/** The texts, one document a line. @throws {SandboxError} naming file and line. */
export function readJsonLines(file: string, content: string, { lossy = false }: ReadOptions): string[] {
  const documents: string[] = [];
  for (const [i, line] of content.split("\n").entries()) {
    if (line.trim() === "") continue;
    const text = readText(`${file}:${i + 1}`, line);
    if (!lossy && wellFormed(text) !== text) {
      throw new SandboxError(
        `${file}:${i + 1}: text must be Unicode, got half a surrogate pair`,
        "Repair the line, or pass --lossy to replace it by U+FFFD.",
      );
    }
    documents.push(wellFormed(text));
  }
  return documents;
}

function readText(where: string, line: string): string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw new SandboxError(`${where}: must be JSON, got ${excerpt(line)}`, hint, { cause });
  }
  const text = (value as { text?: unknown } | null)?.text;
  if (typeof text === "string") return text;
  throw new SandboxError(`${where}: must be an object with a string "text", got ${excerpt(line)}`, hint);
}

const excerpt = (line: string): string => printableText(line.length > 60 ? `${line.slice(0, 60)}…` : line);

const hint = 'Each line of a .jsonl file holds one document: {"text": "…"}';
