/** @file What softbox knows of each corpus it brings: `corpora/<name>.json`, see `corpora/README.md`. */
import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { z } from "zod";
import { SandboxError } from "../engine/errors.ts";
import { packageRoot } from "../engine/packageRoot.ts";
import { grammarSource } from "./sources/grammar.ts";
import { modesSource } from "./sources/modes.ts";
import { packageSource } from "./sources/package.ts";

const manifestSchema = z.strictObject({
  name: z.string().min(1).describe("what `--corpus` calls it; the file's name without .json"),
  description: z.string().min(1).describe("one line on what it is"),
  licence: z.string().min(1),
  source: z.discriminatedUnion("type", [packageSource, grammarSource, modesSource]),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .describe("of the joined text in UTF-8"),
  characters: z.int().positive().describe("Unicode code points of the joined text"),
  entropy: z
    .strictObject({ natsPerCharacter: z.number().positive(), bitsPerByte: z.number().positive() })
    .optional()
    .describe("exact entropy rate of a generated source"),
});

export type CorpusManifest = z.infer<typeof manifestSchema>;

export const corporaFolder = (): string => join(packageRoot(), "corpora");

/** All manifests, by name. @throws {SandboxError} naming the manifest that is wrong. */
export function listCorpora(folder = corporaFolder()): CorpusManifest[] {
  const files = readdirSync(folder).filter((file) => file.endsWith(".json"));
  return files.sort().map((file) => readManifest(join(folder, file)));
}

function readManifest(file: string): CorpusManifest {
  const manifest = parseManifest(file, readFileSync(file, "utf8"));
  if (manifest.name === basename(file, ".json")) return manifest;
  throw new SandboxError(`${basename(file)}: name must be the file's name, got "${manifest.name}"`, hint);
}

function parseManifest(file: string, text: string): CorpusManifest {
  try {
    return manifestSchema.parse(JSON.parse(text));
  } catch (cause) {
    const reason = cause instanceof z.ZodError ? z.prettifyError(cause) : (cause as Error).message;
    throw new SandboxError(`${basename(file)}: must be a corpus manifest:\n${reason}`, hint, { cause });
  }
}

const hint = "corpora/README.md says what a manifest holds.";
