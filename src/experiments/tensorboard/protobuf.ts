/** @file Messages of Protocol Buffers, written: as much of the wire format as event files need (protobuf.dev/programming-guides/encoding). */

/** A field's bytes, tag and all. */
export type Field = Uint8Array;

const wire = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

const tag = (field: number, type: keyof typeof wire): number[] => varint(field * 8 + wire[type]);

/** Seven bits a byte, the lowest first. @param value - whole, not negative, at most 2^53 − 1. */
function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return [...bytes, rest];
}

export const message = (...fields: readonly Field[]): Uint8Array => Buffer.concat(fields);

export const int64 = (field: number, value: number): Field =>
  Uint8Array.from([...tag(field, "varint"), ...varint(value)]);

export function double(field: number, value: number): Field {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return message(Uint8Array.from(tag(field, "fixed64")), bytes);
}

export function float(field: number, value: number): Field {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return message(Uint8Array.from(tag(field, "fixed32")), bytes);
}

/** A string, bytes, or a message within a message. */
export function bytes(field: number, content: string | Uint8Array): Field {
  const data = typeof content === "string" ? Buffer.from(content) : content;
  return message(Uint8Array.from([...tag(field, "bytes"), ...varint(data.length)]), data);
}

/** A packed list. */
export function doubles(field: number, values: readonly number[]): Field {
  const data = Buffer.alloc(8 * values.length);
  for (const [i, value] of values.entries()) data.writeDoubleLE(value, 8 * i);
  return bytes(field, data);
}
