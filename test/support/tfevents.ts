/**
 * @file Reads TensorBoard's event files, written from the specifications alone: TFRecord framing, CRC-32C bit by bit, Protocol Buffers'
 * wire format, and the field numbers of event.proto, summary.proto and tensor.proto. Throws where a file departs from them.
 */
import { readFileSync } from "node:fs";

/** CRC-32C by long division, a bit at a time, the lowest first. */
export function crcOf(bytes: Uint8Array): number {
  let rest = 0xffffffff;
  for (const byte of bytes)
    for (let bit = 0; bit < 8; bit++)
      rest = ((rest ^ (byte >> bit)) & 1 ? (rest >>> 1) ^ 0x82f63b78 : rest >>> 1) >>> 0;
  return (rest ^ 0xffffffff) >>> 0;
}

function masked(bytes: Uint8Array): number {
  const crc = BigInt(crcOf(bytes));
  return Number(((((crc >> 15n) | (crc << 17n)) % 2n ** 32n) + 0xa282ead8n) % 2n ** 32n);
}

/** The records of a file, checksums compared. */
export function* readRecords(file: Buffer): Generator<Buffer> {
  for (let at = 0; at < file.length; ) {
    const length = Number(file.readBigUInt64LE(at));
    if (masked(file.subarray(at, at + 8)) !== file.readUInt32LE(at + 8)) throw new Error(`length at ${at}: checksum`);
    const data = file.subarray(at + 12, at + 12 + length);
    if (masked(data) !== file.readUInt32LE(at + 12 + length)) throw new Error(`data at ${at}: checksum`);
    yield data;
    at += 16 + length;
  }
}

/** Fields of a message: number → values, each a number (varint, fixed) or bytes. */
type Fields = Map<number, (number | Buffer)[]>;

function parse(data: Buffer): Fields {
  const fields: Fields = new Map();
  let at = 0;
  const varint = (): number => {
    let [value, scale] = [0, 1];
    for (;;) {
      const byte = data[at++]!;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
  };
  const take = (length: number): Buffer => {
    if (at + length > data.length) throw new Error("a field is longer than its message");
    at += length;
    return data.subarray(at - length, at);
  };
  const readers: Record<number, () => number | Buffer> = {
    0: varint,
    1: () => take(8).readDoubleLE(),
    2: () => take(varint()),
    5: () => take(4).readFloatLE(),
  };
  while (at < data.length) {
    const key = varint();
    const read = readers[key % 8];
    if (read === undefined) throw new Error(`wire type ${key % 8} is not of proto3`);
    fields.set(key >> 3, [...(fields.get(key >> 3) ?? []), read()]);
  }
  return fields;
}

const one = (fields: Fields, field: number): number | Buffer | undefined => fields.get(field)?.[0];
const inside = (fields: Fields, field: number): Fields | undefined => {
  const value = one(fields, field);
  return Buffer.isBuffer(value) ? parse(value) : undefined;
};
const text = (value: number | Buffer | undefined): string => (value as Buffer).toString("utf8");
const packed = (value: Buffer): number[] =>
  Array.from({ length: value.length / 8 }, (_, i) => value.readDoubleLE(8 * i));

export interface ReadHistogram {
  readonly min: number;
  readonly max: number;
  readonly num: number;
  readonly sum: number;
  readonly limits: readonly number[];
  readonly counts: readonly number[];
}

export interface ReadValue {
  readonly step: number;
  readonly wallTime: number;
  readonly tag: string;
  readonly scalar?: number;
  readonly text?: string;
  readonly histogram?: ReadHistogram;
}

/** Every value of an event file in order. @throws {Error} unless its first event is the version. */
export function readEventFile(path: string): ReadValue[] {
  const [first, ...events] = [...readRecords(readFileSync(path))].map(parse);
  if (text(one(first!, 3)) !== "brain.Event:2") throw new Error("the first event is not the version");
  return events.flatMap((event) =>
    (inside(event, 5)?.get(1) ?? []).map((value) => readValue(parse(value as Buffer), event)),
  );
}

function readValue(value: Fields, event: Fields): ReadValue {
  const place = { step: one(event, 2) as number, wallTime: one(event, 1) as number, tag: text(one(value, 1)) };
  const [scalar, histogram, tensor] = [one(value, 2), inside(value, 5), inside(value, 8)];
  if (scalar !== undefined) return { ...place, scalar: scalar as number };
  if (histogram) {
    const [min, max, num, sum] = [1, 2, 3, 4].map((field) => one(histogram, field) as number) as [
      number,
      number,
      number,
      number,
    ];
    const [limits, counts] = [6, 7].map((field) => packed(one(histogram, field) as Buffer)) as [number[], number[]];
    return { ...place, histogram: { min, max, num, sum, limits, counts } };
  }
  const plugin = text(one(inside(inside(value, 9)!, 1)!, 1));
  if (plugin !== "text" || one(tensor!, 1) !== 7) throw new Error(`${place.tag}: expected text, a tensor of strings`);
  return { ...place, text: text(one(tensor!, 8)) };
}
