/**
 * @file The safetensors format: 8 bytes of header length, a JSON header, then the tensors' bytes, little-endian.
 * Nothing in it is ever executed. Specification: https://github.com/huggingface/safetensors (Format).
 */
import { endianness } from "node:os";
import { z } from "zod";
import { SandboxError } from "../../engine/errors.ts";
import { describeIssues } from "../../engine/issues.ts";

/** A float32 tensor on plain memory. */
export interface StoredTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}
export type StoredTensors = ReadonlyMap<string, StoredTensor>;

/** As in the reference implementation: a longer header is an attack or an accident. */
const maximumHeaderLength = 100_000_000;

const Entry = z.strictObject({
  dtype: z.literal("F32"),
  shape: z.array(z.int().nonnegative()),
  data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
});
const Header = z.record(z.string(), z.unknown());

if (endianness() !== "LE") throw new SandboxError("safetensors: this processor is big-endian, which is not supported");

const bytesOf = (values: Float32Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

/** The file as chunks, ready to be written one after another; tensors are not copied. */
export function encodeSafetensors(tensors: StoredTensors): Uint8Array[] {
  const header: Record<string, unknown> = {};
  let offset = 0;
  for (const [name, { shape, values }] of tensors) {
    header[name] = { dtype: "F32", shape, data_offsets: [offset, offset + values.byteLength] };
    offset += values.byteLength;
  }
  const text = JSON.stringify(header);
  const json = Buffer.from(text.padEnd(text.length + ((8 - (Buffer.byteLength(text) % 8)) % 8)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return [length, json, ...[...tensors.values()].map(({ values }) => bytesOf(values))];
}

/**
 * Reads a whole file. Checked: header length and JSON, each entry's fields, type, shape against offsets, that tensors follow
 * each other without gap or overlap, and that they end where the file ends.
 *
 * @param where - the file's name, for errors.
 * @returns tensors that own their memory.
 * @throws {SandboxError} if anything is not as it must be.
 */
export function decodeSafetensors(where: string, file: Uint8Array): Map<string, StoredTensor> {
  const { header, dataStart } = readHeader(where, file);
  const entries = Object.entries(header)
    .filter(([name]) => name !== "__metadata__")
    .map(([name, raw]) => ({ name, ...checkEntry(where, name, raw) }))
    .sort((a, b) => a.data_offsets[0] - b.data_offsets[0] || a.data_offsets[1] - b.data_offsets[1]);
  const tensors = new Map<string, StoredTensor>();
  let end = 0;
  for (const { name, shape, data_offsets } of entries) {
    if (data_offsets[0] !== end) throw damaged(where, `tensor ${name} starts at ${data_offsets[0]}, expected ${end}`);
    end = data_offsets[1];
    if (dataStart + end > file.length) throw damaged(where, `tensor ${name} ends behind the end of the file`);
    const bytes = Uint8Array.from(file.subarray(dataStart + data_offsets[0], dataStart + end)); // a copy, aligned
    tensors.set(name, { shape, values: new Float32Array(bytes.buffer) });
  }
  if (dataStart + end !== file.length)
    throw damaged(where, `${file.length - dataStart - end} bytes follow the last tensor`);
  return tensors;
}

const damaged = (where: string, what: string): SandboxError =>
  new SandboxError(
    `${where}: not a valid safetensors file: ${what}`,
    "Use another checkpoint, or fetch the file again.",
  );

function readHeader(where: string, file: Uint8Array): { header: Record<string, unknown>; dataStart: number } {
  if (file.length < 8) throw damaged(where, `expected at least 8 bytes, got ${file.length}`);
  const length = Number(new DataView(file.buffer, file.byteOffset, 8).getBigUint64(0, true));
  if (length > maximumHeaderLength || 8 + length > file.length)
    throw damaged(where, `a header of ${length} bytes does not fit a file of ${file.length}`);
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(file.subarray(8, 8 + length));
    return { header: Header.parse(JSON.parse(text)), dataStart: 8 + length };
  } catch (error) {
    throw damaged(where, `its header is not a JSON object (${(error as Error).message.split("\n")[0]})`);
  }
}

function checkEntry(where: string, name: string, raw: unknown): z.infer<typeof Entry> {
  const result = Entry.safeParse(raw);
  if (!result.success) throw damaged(where, `tensor ${name}:\n${describeIssues(result.error, raw)}`);
  const { shape, data_offsets } = result.data;
  const expected = 4 * shape.reduce((a, b) => a * b, 1);
  if (data_offsets[1] - data_offsets[0] !== expected)
    throw damaged(where, `tensor ${name}: shape [${shape.join(", ")}] needs ${expected} bytes, offsets hold others`);
  return result.data;
}
