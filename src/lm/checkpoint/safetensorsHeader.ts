/**
 * @file The header of a safetensors file: what it names, checked before a byte of data is believed. After the published audit
 * (Trail of Bits 2023, "Hugging Face: safetensors") and the specification: https://github.com/huggingface/safetensors (Format).
 */
import { z } from "zod";
import { SandboxError } from "../../engine/errors.ts";
import { describeIssues } from "../../engine/issues.ts";
import { findDuplicateKey } from "./duplicateKey.ts";
import { sizeOf } from "./tensorSource.ts";

/** Bytes before the header: its length as a 64-bit number. */
export const lengthBytes = 8;

/** As in the reference implementation: a longer header is an attack or an accident, and parsing would cost memory. */
const maximumHeaderLength = 100_000_000;

/** Bytes of a number, by type. Only some can be read, but any may stand in a file that others wrote. */
const bytesOfType = {
  ...{ F64: 8, F32: 4, F16: 2, BF16: 2, F8_E4M3: 1, F8_E5M2: 1, C64: 8 },
  ...{ I64: 8, I32: 4, I16: 2, I8: 1, U64: 8, U32: 4, U16: 2, U8: 1, BOOL: 1 },
} as const;
export type StoredType = keyof typeof bytesOfType;

const Entry = z.strictObject({
  dtype: z.enum(Object.keys(bytesOfType) as [StoredType, ...StoredType[]]),
  shape: z.array(z.int().nonnegative()),
  data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
});
const Metadata = z.record(z.string(), z.string());
const metadataKey = "__metadata__";

export interface HeaderEntry {
  readonly name: string;
  readonly dtype: StoredType;
  readonly shape: readonly number[];
  /** Of the tensor's bytes, from the beginning of the file. */
  readonly start: number;
  readonly end: number;
}

export const damagedFile = (where: string, what: string): SandboxError =>
  new SandboxError(
    `${where}: not a valid safetensors file: ${what}`,
    "Use another checkpoint, or fetch the file again.",
  );

/**
 * Length of the header.
 *
 * @param first - the file's first bytes, 8 if it has so many.
 * @throws {SandboxError} if no header of that length fits the file.
 */
export function headerLength(where: string, first: Uint8Array, fileBytes: number): number {
  if (fileBytes < lengthBytes || first.length < lengthBytes)
    throw damagedFile(where, `expected at least ${lengthBytes} bytes, got ${fileBytes}`);
  const length = Number(new DataView(first.buffer, first.byteOffset, lengthBytes).getBigUint64(0, true));
  if (lengthBytes + length > fileBytes)
    throw damagedFile(where, `a header of ${length} bytes does not fit a file of ${fileBytes}`);
  if (length > maximumHeaderLength)
    throw damagedFile(where, `a header of ${length} bytes; at most ${maximumHeaderLength} are allowed`);
  return length;
}

/**
 * Reads a header. Checked: UTF-8, JSON, no key twice, the metadata, each entry's fields, its type and shape against its offsets,
 * that tensors follow each other without gap or overlap, and that the last ends where the file ends.
 *
 * @returns the tensors in the order of their data.
 * @throws {SandboxError} if anything is not as it must be.
 */
export function parseHeader(where: string, bytes: Uint8Array, fileBytes: number): HeaderEntry[] {
  const dataStart = lengthBytes + bytes.length;
  const entries = Object.entries(parseJson(where, bytes))
    .filter(([name, value]) => name !== metadataKey || checkMetadata(where, value))
    .map(([name, raw]) => checkEntry(where, name, raw, dataStart))
    .sort((a, b) => a.start - b.start || a.end - b.end);
  let end = dataStart;
  for (const { name, start, end: next } of entries) {
    if (start !== end)
      throw damagedFile(where, `tensor ${name} starts at ${start - dataStart}, expected ${end - dataStart}`);
    if (next > fileBytes) throw damagedFile(where, `tensor ${name} ends behind the end of the file`);
    end = next;
  }
  if (end !== fileBytes) throw damagedFile(where, `${fileBytes - end} bytes follow the last tensor`);
  return entries;
}

function parseJson(where: string, bytes: Uint8Array): object {
  let text: string;
  let value: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    value = JSON.parse(text);
  } catch (error) {
    throw damagedFile(where, `its header is not a JSON object (${(error as Error).message.split("\n")[0]})`);
  }
  if (typeof value !== "object" || value === null || !text.startsWith("{"))
    throw damagedFile(where, "its header is not a JSON object");
  const twice = findDuplicateKey(text);
  if (twice !== undefined) throw damagedFile(where, `its header has the key ${JSON.stringify(twice)} twice`);
  return value;
}

/** @returns false: metadata are no tensor. */
function checkMetadata(where: string, value: unknown): false {
  const result = Metadata.safeParse(value);
  if (!result.success) throw damagedFile(where, `${metadataKey}:\n${describeIssues(result.error, value)}`);
  return false;
}

function checkEntry(where: string, name: string, raw: unknown, dataStart: number): HeaderEntry {
  const result = Entry.safeParse(raw);
  if (!result.success) throw damagedFile(where, `tensor ${name}:\n${describeIssues(result.error, raw)}`);
  const { dtype, shape, data_offsets } = result.data;
  const expected = bytesOfType[dtype] * sizeOf(shape);
  const [start, end] = data_offsets;
  if (end - start !== expected)
    throw damagedFile(
      where,
      `tensor ${name}: shape [${shape.join(", ")}] needs ${expected} bytes, offsets hold others`,
    );
  return { name, dtype, shape, start: dataStart + start, end: dataStart + end };
}
