/**
 * @file The face of the corpora: by name (one that softbox brings), or a file, a folder, a glob of the user's own.
 *
 * Text stays as it is: only a UTF-8 byte-order mark goes. Documents are joined by a blank line.
 */
import { createHash } from "node:crypto";
import { SandboxError } from "../engine/errors.ts";
import { grammarEntropy, type KnownSource } from "./knownEntropy.ts";
import { type CorpusManifest, corporaFolder, listCorpora } from "./manifest.ts";
import { createGrammar, writeGrammar } from "./sources/grammar.ts";
import { createModes, modesTruth, writeModes } from "./sources/modes.ts";
import { readPackageDocuments } from "./sources/package.ts";
import { type ReadOptions, readUserDocuments } from "./sources/userFiles.ts";

export type { Continuation, KnownEntropy, KnownSource } from "./knownEntropy.ts";
export { type CorpusManifest, listCorpora } from "./manifest.ts";

export interface Corpus {
  readonly name: string;
  readonly text: string;
  /** Of the text in UTF-8, hex. */
  readonly sha256: string;
  /** Length in UTF-8. */
  readonly bytes: number;
  /** How many documents were joined. */
  readonly documents: number;
  /** For the corpora that softbox brings. */
  readonly manifest?: CorpusManifest;
  /** For generated corpora: what is exactly known. */
  readonly truth?: KnownSource;
}

export interface LoadCorpusOptions extends ReadOptions {
  /** Where the manifests are; default: softbox's own. */
  readonly manifests?: string | undefined;
}

/**
 * Loads a corpus.
 *
 * @param source - a corpus name, a file, a folder (its .txt and .md files), a glob, or a .jsonl file (field `text`).
 * @throws {SandboxError} if it is missing, empty, no text, or not what its manifest says.
 */
export async function loadCorpus(source: string, options: LoadCorpusOptions = {}): Promise<Corpus> {
  const manifests = listCorpora(options.manifests ?? corporaFolder());
  const manifest = manifests.find(({ name }) => name === source);
  if (manifest) return loadNamedCorpus(manifest);
  const { name, documents } = await readUserDocuments(source, names(manifests), options);
  const corpus = createCorpus(name, documents);
  if (corpus.text.trim() !== "") return corpus;
  throw new SandboxError(
    `corpus ${source}: must hold text, got ${corpus.bytes} bytes of nothing or white space`,
    "Give a file with text in it, or a name that `softbox corpus list` shows.",
  );
}

/** A corpus from documents at hand. */
export function createCorpus(name: string, documents: readonly string[]): Corpus {
  const text = joinDocuments(documents);
  const bytes = Buffer.from(text);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { name, text, sha256, bytes: bytes.length, documents: documents.length };
}

function loadNamedCorpus(manifest: CorpusManifest): Corpus {
  const { documents, truth } = readSource(manifest);
  const corpus = createCorpus(manifest.name, documents);
  if (corpus.sha256 !== manifest.sha256) {
    throw new SandboxError(
      `corpus ${manifest.name}: the text's sha256 must be ${manifest.sha256}, got ${corpus.sha256}`,
      "Its package has another version or was altered: run `npm ci` in softbox's folder.",
    );
  }
  return { ...corpus, manifest, ...(truth ? { truth } : {}) };
}

function readSource({ source }: CorpusManifest): { documents: string[]; truth?: KnownSource } {
  switch (source.type) {
    case "package":
      return { documents: readPackageDocuments(source) };
    case "grammar": {
      const grammar = createGrammar(source);
      return { documents: [writeGrammar(grammar, source.sentences, source.seed)], truth: grammarEntropy(grammar) };
    }
    case "modes": {
      const modes = createModes(source);
      return { documents: [writeModes(modes, source.characters, source.seed)], truth: modesTruth(modes) };
    }
    default:
      return source satisfies never;
  }
}

/** Puts a blank line between documents; no document is altered. */
function joinDocuments(documents: readonly string[]): string {
  const last = documents.length - 1;
  return documents.map((text, i) => (i === last ? text : text + lineBreaksToBlankLine(text))).join("");
}

function lineBreaksToBlankLine(text: string): string {
  if (!text.endsWith("\n")) return "\n\n";
  return text.endsWith("\n\n") ? "" : "\n";
}

const names = (manifests: readonly CorpusManifest[]): string[] => manifests.map(({ name }) => name);
