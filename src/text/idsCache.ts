/**
 * @file Token ids on disk: `<key>.ids`, raw little-endian 32-bit integers, beside `<key>.json`, sizes and a checksum.
 *
 * Nothing read here is trusted: what does not fit its checksum or its key counts as absent.
 */
import { createHash, randomUUID } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { endianness } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { type SplitName, splitNames } from "./splits.ts";
import { type Tokenizer, tokenizerFromJson } from "./tokenizer.ts";

/** Raise it when the same key would give other ids: a change of the splits or of a tokenizer. */
const version = 1;

/** What decides the ids. */
export interface IdsKey {
  /** SHA-256 of the text. */
  readonly corpus: string;
  /** A kind that learns from the corpus, or a tokenizer's hash. */
  readonly tokenizer: string;
  readonly shares: readonly number[];
}

export interface TokenSplit {
  readonly ids: Int32Array;
  /** Of its text in UTF-8; what bits per byte divides by. */
  readonly bytes: number;
  /** Unicode code points of its text. */
  readonly characters: number;
}

export interface Encoded {
  readonly tokenizer: Tokenizer;
  readonly splits: Record<SplitName, TokenSplit>;
}

const size = z.strictObject({ tokens: z.int().min(0), bytes: z.int().min(0), characters: z.int().min(0) });
const contentSchema = z.strictObject({
  version: z.literal(version),
  key: z.strictObject({ corpus: z.string(), tokenizer: z.string(), shares: z.array(z.number()) }),
  sizes: z.strictObject({ train: size, validation: size, calibration: size }),
  tokenizer: z.unknown(),
});
const fileSchema = z.strictObject({ content: contentSchema, checksum: z.string() });
type Content = z.infer<typeof contentSchema>;

/** The ids kept under a key; undefined if there are none that can be trusted. */
export async function readIds(folder: string, key: IdsKey): Promise<Encoded | undefined> {
  try {
    const { content, checksum } = fileSchema.parse(JSON.parse(await readFile(pathOf(folder, key, "json"), "utf8")));
    const raw = await readFile(pathOf(folder, key, "ids"));
    const tokenizer = tokenizerFromJson(content.tokenizer);
    const sameKey = JSON.stringify(content.key) === JSON.stringify(orderedKey(key));
    const sameTokenizer = key.tokenizer === tokenizer.kind || key.tokenizer === tokenizer.hash;
    if (!sameKey || !sameTokenizer || checksum !== checksumOf(content, raw)) return undefined;
    return { tokenizer, splits: splitIds(littleEndian(raw), content.sizes) };
  } catch {
    return undefined; // absent or damaged: the caller encodes anew
  }
}

/** Keeps ids under a key. Gives up silently where the folder cannot be written. */
export async function writeIds(folder: string, key: IdsKey, { tokenizer, splits }: Encoded): Promise<void> {
  const parts = splitNames.map((name) => Buffer.from(splits[name].ids.slice().buffer));
  const raw = littleEndian(Buffer.concat(parts));
  const sizes = {
    train: sizeOf(splits.train),
    validation: sizeOf(splits.validation),
    calibration: sizeOf(splits.calibration),
  };
  const content: Content = { version, key: orderedKey(key), sizes, tokenizer: tokenizer.toJSON() };
  try {
    await mkdir(folder, { recursive: true });
    await writeAside(pathOf(folder, key, "ids"), raw);
    await writeAside(pathOf(folder, key, "json"), JSON.stringify({ content, checksum: checksumOf(content, raw) }));
  } catch {
    // a cache that cannot be written costs time, not results
  }
}

const orderedKey = ({ corpus, tokenizer, shares }: IdsKey) => ({ corpus, tokenizer, shares: [...shares] });

const sizeOf = ({ ids, bytes, characters }: TokenSplit) => ({ tokens: ids.length, bytes, characters });

function pathOf(folder: string, key: IdsKey, ending: "ids" | "json"): string {
  const name = createHash("sha256")
    .update(JSON.stringify([version, orderedKey(key)]))
    .digest("hex");
  return join(folder, `${name.slice(0, 32)}.${ending}`);
}

const checksumOf = (content: Content, raw: Buffer): string =>
  createHash("sha256").update(JSON.stringify(content)).update(raw).digest("hex");

/** Swaps the bytes of a copy where the machine is big-endian. */
const littleEndian = (raw: Buffer): Buffer => (endianness() === "LE" ? raw : Buffer.from(raw).swap32());

function splitIds(raw: Buffer, sizes: Content["sizes"]): Record<SplitName, TokenSplit> {
  const all = new Int32Array(new Uint8Array(raw).buffer); // a copy: a file's buffer need not be aligned
  let at = 0;
  const take = ({ tokens, bytes, characters }: Content["sizes"][SplitName]): TokenSplit => {
    at += tokens;
    return { ids: all.slice(at - tokens, at), bytes, characters };
  };
  return { train: take(sizes.train), validation: take(sizes.validation), calibration: take(sizes.calibration) };
}

async function writeAside(file: string, data: Buffer | string): Promise<void> {
  const aside = `${file}.${randomUUID()}.tmp`;
  try {
    await writeFile(aside, data, { flag: "wx" });
    await rename(aside, file);
  } finally {
    await rm(aside, { force: true });
  }
}
