/**
 * @file The GGUF format, version 3: a header of typed keys, the tensors' names and places, then their bytes, each tensor aligned.
 * Written piece by piece. Knows no architecture. Specification: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md.
 */
import { bytesPerNumber, encodeNumbers, type NumberType } from "../lm/checkpoint/numberTypes.ts";
import { sizeOf, type TensorSource } from "../lm/checkpoint/tensorSource.ts";

/** A value with its type, as the format tells them apart. */
export type GgufValue =
  | { readonly uint32: number }
  | { readonly float32: number }
  | { readonly bool: boolean }
  | { readonly string: string }
  | { readonly strings: readonly string[] }
  | { readonly int32s: readonly number[] };

export interface GgufTensor {
  readonly source: TensorSource;
  /** How its numbers are stored. */
  readonly type: NumberType;
}

/** Every tensor's bytes begin at a multiple of this. */
const alignment = 32;

/** `enum gguf_type`. */
const types = { uint32: 4, int32: 5, float32: 6, bool: 7, string: 8, array: 9 } as const;
/** `enum ggml_type`. */
const tensorTypes: Readonly<Record<NumberType, number>> = { float32: 0, float16: 1, bfloat16: 30 };

/** The file's bytes in order. Pieces may be the tensors' own memory: they are valid until the next is asked for. */
export async function* encodeGguf(
  values: ReadonlyMap<string, GgufValue>,
  tensors: ReadonlyMap<string, GgufTensor>,
): AsyncGenerator<Uint8Array> {
  const head = Buffer.concat([
    Buffer.from("GGUF"),
    uint32(3),
    uint64(tensors.size),
    uint64(values.size),
    ...[...values].flatMap(([key, value]) => [string(key), ...encodeValue(value)]),
    ...describeTensors(tensors),
  ]);
  yield head;
  yield padding(head.length);
  for (const { source, type } of tensors.values()) {
    for await (const piece of source.pieces()) yield encodeNumbers(piece, type);
    yield padding(byteLength({ source, type }));
  }
}

/** Name, axes (the last first), type and place of each tensor. */
function describeTensors(tensors: ReadonlyMap<string, GgufTensor>): Buffer[] {
  let offset = 0;
  return [...tensors].flatMap(([name, tensor]) => {
    const axes = tensor.source.shape.toReversed();
    const place = offset;
    offset += byteLength(tensor) + padding(byteLength(tensor)).length;
    return [string(name), uint32(axes.length), ...axes.map(uint64), uint32(tensorTypes[tensor.type]), uint64(place)];
  });
}

const byteLength = ({ source, type }: GgufTensor): number => bytesPerNumber[type] * sizeOf(source.shape);

const padding = (length: number): Buffer => Buffer.alloc((alignment - (length % alignment)) % alignment);

function encodeValue(value: GgufValue): Buffer[] {
  if ("uint32" in value) return [uint32(types.uint32), uint32(value.uint32)];
  if ("float32" in value) return [uint32(types.float32), Buffer.from(Float32Array.of(value.float32).buffer)];
  if ("bool" in value) return [uint32(types.bool), Buffer.of(value.bool ? 1 : 0)];
  if ("string" in value) return [uint32(types.string), string(value.string)];
  if ("strings" in value) return [...arrayHead(types.string, value.strings.length), ...value.strings.map(string)];
  if ("int32s" in value)
    return [...arrayHead(types.int32, value.int32s.length), Buffer.from(Int32Array.from(value.int32s).buffer)];
  return value satisfies never;
}

const arrayHead = (type: number, length: number): Buffer[] => [uint32(types.array), uint32(type), uint64(length)];

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function uint64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

/** Length and UTF-8. */
function string(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([uint64(bytes.length), bytes]);
}
