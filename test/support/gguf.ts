/** @file Reads a GGUF file in the plainest way: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. */

type Value = number | boolean | string | Value[];
export interface GgufTensorInfo {
  /** The last axis first, as the format has it. */
  readonly axes: readonly number[];
  readonly type: number;
  /** From the beginning of the data. */
  readonly offset: number;
}

export interface Gguf {
  readonly values: Readonly<Record<string, Value>>;
  readonly tensors: Readonly<Record<string, GgufTensorInfo>>;
  readonly data: Buffer;
}

export function readGguf(file: Buffer): Gguf {
  let at = 0;
  const take = (bytes: number): Buffer => {
    at += bytes;
    return file.subarray(at - bytes, at);
  };
  const uint32 = (): number => take(4).readUInt32LE();
  const uint64 = (): number => Number(take(8).readBigUInt64LE());
  const string = (): string => take(uint64()).toString();
  const value = (type: number): Value => {
    if (type === 4) return uint32();
    if (type === 5) return take(4).readInt32LE();
    if (type === 6) return take(4).readFloatLE();
    if (type === 7) return take(1)[0] === 1;
    if (type === 8) return string();
    if (type !== 9) throw new Error(`gguf: type ${type}`);
    const inner = uint32();
    return Array.from({ length: uint64() }, () => value(inner));
  };
  if (take(4).toString() !== "GGUF" || uint32() !== 3) throw new Error("gguf: magic or version");
  const [tensorCount, valueCount] = [uint64(), uint64()];
  const values = Object.fromEntries(Array.from({ length: valueCount }, () => [string(), value(uint32())]));
  const info = (): [string, GgufTensorInfo] => {
    const name = string();
    const axes = Array.from({ length: uint32() }, uint64);
    return [name, { axes, type: uint32(), offset: uint64() }];
  };
  const tensors = Object.fromEntries(Array.from({ length: tensorCount }, info));
  return { values, tensors, data: file.subarray(Math.ceil(at / 32) * 32) };
}
