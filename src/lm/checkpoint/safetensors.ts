/**
 * @file The safetensors format: 8 bytes of header length, a JSON header, then the tensors' bytes, little-endian. Written and
 * read piece by piece, so that memory holds no file. Nothing in it is ever executed.
 * Specification: https://github.com/huggingface/safetensors (Format).
 */
import { type FileHandle, open } from "node:fs/promises";
import { SandboxError } from "../../engine/errors.ts";
import { explainReading } from "../../engine/files.ts";
import { bytesPerNumber, decodeNumbers, encodeNumbers, type NumberType } from "./numberTypes.ts";
import {
  damagedFile,
  type HeaderEntry,
  headerLength,
  lengthBytes,
  parseHeader,
  type StoredType,
} from "./safetensorsHeader.ts";
import { sizeOf, type TensorSource, type TensorSources } from "./tensorSource.ts";

/** Bytes read at a time. */
const pieceBytes = 2 ** 22;

/** The types that can be read and written, by the names of the format. */
const storedTypes = { float32: "F32", float16: "F16", bfloat16: "BF16" } as const satisfies Record<
  NumberType,
  StoredType
>;
const numberTypeOf = (stored: StoredType): NumberType | undefined =>
  (Object.keys(storedTypes) as NumberType[]).find((type) => storedTypes[type] === stored);

export interface WriteOptions {
  /** How numbers are stored; float32 unless given. */
  readonly type?: NumberType;
  /** Text of whoever writes it, by key. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** The file's bytes in order. Pieces may be the tensors' own memory: they are valid until the next is asked for. */
export async function* encodeSafetensors(
  tensors: TensorSources,
  { type = "float32", metadata }: WriteOptions = {},
): AsyncGenerator<Uint8Array> {
  const entries = metadata ? [`"__metadata__":${JSON.stringify(metadata)}`] : [];
  let offset = 0;
  for (const [name, { shape }] of tensors) {
    const end = offset + bytesPerNumber[type] * sizeOf(shape);
    entries.push(
      `${JSON.stringify(name)}:${JSON.stringify({ dtype: storedTypes[type], shape, data_offsets: [offset, end] })}`,
    );
    offset = end;
  }
  const text = `{${entries.join(",")}}`;
  const json = Buffer.from(text.padEnd(text.length + ((8 - (Buffer.byteLength(text) % 8)) % 8)));
  const length = Buffer.alloc(lengthBytes);
  length.writeBigUInt64LE(BigInt(json.length));
  yield length;
  yield json;
  for (const { pieces } of tensors.values()) for await (const piece of pieces()) yield encodeNumbers(piece, type);
}

/** A tensor of a file. */
export interface StoredTensor extends TensorSource {
  /** How its numbers are stored; they come as float32. */
  readonly type: StoredType;
}

/** Where bytes are read from: a file, or memory. */
export interface ByteSource {
  readonly size: number;
  /** Reads some bytes from `position` on. @returns how many; 0 at the end. */
  read(into: Uint8Array, position: number): Promise<number>;
}

/** A file whose header was checked; whoever opened it closes it. */
export interface SafetensorsFile {
  /** In the order of their data. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  close(): Promise<void>;
}

/**
 * Opens a file and checks its header; data are read when they are asked for.
 *
 * @throws {SandboxError} if it cannot be read, or its header and length are not as they must be.
 */
export async function openSafetensors(path: string): Promise<SafetensorsFile> {
  const file = await open(path, "r").catch((error: unknown) => {
    throw explainReading(path, error);
  });
  try {
    const source = await bytesOf(file);
    return { tensors: await readSafetensors(path, source), close: () => file.close() };
  } catch (error) {
    await file.close();
    throw explainReading(path, error);
  }
}

async function bytesOf(file: FileHandle): Promise<ByteSource> {
  const { size } = await file.stat();
  const read = async (into: Uint8Array, position: number): Promise<number> =>
    (await file.read(into, 0, into.length, position)).bytesRead;
  return { size, read };
}

/**
 * The tensors of a file, by its header; data are read when they are asked for.
 *
 * @param where - the file's name, for errors.
 * @throws {SandboxError} if its header and length are not as they must be.
 */
export async function readSafetensors(where: string, source: ByteSource): Promise<Map<string, StoredTensor>> {
  const first = Buffer.alloc(Math.min(lengthBytes, source.size));
  await fill(where, source, first, 0);
  const header = Buffer.alloc(headerLength(where, first, source.size));
  await fill(where, source, header, lengthBytes);
  const entries = parseHeader(where, header, source.size);
  return new Map(entries.map((entry) => [entry.name, storedTensor(where, source, entry)]));
}

/** @throws {SandboxError} from `pieces`, if numbers of its type cannot be read or the file ends too early. */
function storedTensor(
  where: string,
  source: ByteSource,
  { name, dtype, shape, start, end }: HeaderEntry,
): StoredTensor {
  const pieces = async function* (): AsyncGenerator<Float32Array> {
    const type = numberTypeOf(dtype);
    if (!type)
      throw new SandboxError(
        `${where}: tensor ${name} is stored as ${dtype}; ${Object.values(storedTypes).join(", ")} can be read`,
        "Convert it to one of these first.",
      );
    const buffer = Buffer.alloc(Math.min(pieceBytes, end - start));
    for (let at = start; at < end; at += buffer.length) {
      const bytes = buffer.subarray(0, Math.min(buffer.length, end - at));
      await fill(where, source, bytes, at);
      yield decodeNumbers(bytes, type);
    }
  };
  return { type: dtype, shape, pieces };
}

async function fill(where: string, source: ByteSource, bytes: Uint8Array, position: number): Promise<void> {
  for (let filled = 0; filled < bytes.length; ) {
    const count = await source.read(bytes.subarray(filled), position + filled);
    if (count === 0) throw damagedFile(where, "it ended while it was read");
    filled += count;
  }
}
