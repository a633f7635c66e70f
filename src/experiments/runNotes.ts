/** @file What people say of a run: tags and a note, in `notes.json` of its folder. Training never touches it. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { SandboxError } from "../engine/errors.ts";
import { describeIssues } from "../engine/issues.ts";
import { readRunFile, writeRunFile } from "./runFolder.ts";

/** A word without spaces or commas, so that lists of tags can be typed. */
const Tag = z.string().regex(/^[^\s,]{1,40}$/);
const RunNotes = z.strictObject({ tags: z.array(Tag).default([]), note: z.string().max(10_000).default("") });
export type RunNotes = z.infer<typeof RunNotes>;

const file = "notes.json";

/** Nothing said where there is no file. @throws {SandboxError} if it is damaged. */
export function readNotes(folder: string): RunNotes {
  if (!existsSync(join(folder, file))) return { tags: [], note: "" };
  return parseNotes(`${join(folder, file)}`, readRunFile(folder, file));
}

/** @throws {SandboxError} for tags that are no words, or a note longer than 10,000 characters. */
export async function writeNotes(folder: string, notes: RunNotes): Promise<void> {
  const tags = [...new Set(notes.tags)].sort();
  await writeRunFile(folder, file, parseNotes("runs", { ...notes, tags }));
}

function parseNotes(where: string, raw: unknown): RunNotes {
  const result = RunNotes.safeParse(raw);
  if (result.success) return result.data;
  throw new SandboxError(
    `${where}:\n${describeIssues(result.error, raw)}`,
    "A tag is a word of at most 40 characters without spaces and commas.",
  );
}
