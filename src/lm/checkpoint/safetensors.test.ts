import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createRandomStream, type RandomStream, randomKey } from "../../engine/random.ts";
import { encodeSafetensors, openSafetensors, readSafetensors, type WriteOptions } from "./safetensors.ts";
import { collectTensor, type TensorSources, tensorInMemory } from "./tensorSource.ts";

type Plain = Record<string, { shape: readonly number[]; values: readonly number[] }>;

const stored = (entries: Plain): TensorSources =>
  new Map(
    Object.entries(entries).map(([name, { shape, values }]) => [
      name,
      tensorInMemory(Float32Array.from(values), shape),
    ]),
  );

async function encode(tensors: TensorSources, options?: WriteOptions): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of encodeSafetensors(tensors, options)) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

/** Reads a whole file from memory, a few bytes at a time. */
async function decode(file: Uint8Array): Promise<Map<string, { shape: readonly number[]; values: Float32Array }>> {
  const read = async (into: Uint8Array, position: number): Promise<number> => {
    const bytes = file.subarray(position, Math.min(file.length, position + Math.min(into.length, 1000)));
    into.set(bytes);
    return bytes.length;
  };
  const tensors = await readSafetensors("model.safetensors", { size: file.length, read });
  const entries = [...tensors].map(async ([name, tensor]) => {
    return [name, { shape: tensor.shape, values: await collectTensor(tensor) }] as const;
  });
  return new Map(await Promise.all(entries));
}

/** A file with any header over `bytes` bytes of data. */
function fileOf(header: unknown, bytes: number): Buffer {
  const json = Buffer.isBuffer(header)
    ? header
    : Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, Buffer.alloc(bytes, 1)]);
}

const entry = (shape: number[], start: number, end: number, dtype = "F32"): object => ({
  dtype,
  shape,
  data_offsets: [start, end],
});

const small = {
  "blocks.0.kernel": { shape: [2, 3], values: [1, -2, 3.5, Number.NaN, Number.POSITIVE_INFINITY, -0] },
  bias: { shape: [1], values: [1e-45] },
  scalar: { shape: [], values: [7] },
  empty: { shape: [0, 4], values: [] },
};
describe("what is written", () => {
  test("is read back the same, bit by bit, whatever names, shapes and values", async () => {
    const tensor = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 }).chain((shape) => {
      const size = shape.reduce((a, b) => a * b, 1);
      return fc.float32Array({ minLength: size, maxLength: size }).map((values) => ({ shape, values }));
    });
    const names = fc.string({ unit: "binary" }).filter((name) => name !== "__metadata__");
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.tuple(names, tensor), { maxLength: 6, selector: ([name]) => name }),
        async (entries) => {
          const sources = entries.map(([name, { shape, values }]) => [name, tensorInMemory(values, shape)] as const);
          expect(await decode(await encode(new Map(sources)))).toEqual(new Map(entries));
        },
      ),
    );
  });

  test("is what the specification shows: length, JSON padded to eights, little-endian data", async () => {
    const file = await encode(stored({ w: { shape: [2], values: [1, 2] } }));
    expect(file.readBigUInt64LE(0) % 8n).toBe(0n);
    const headerLength = Number(file.readBigUInt64LE(0));
    const header = file.subarray(8, 8 + headerLength).toString();
    expect(header.trimEnd()).toBe('{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}');
    expect([file.readFloatLE(8 + headerLength), file.readFloatLE(12 + headerLength)]).toEqual([1, 2]);
  });

  test.each([
    ["float16", "F16", [0x3c00, 0xc100, 0x0001]],
    ["bfloat16", "BF16", [0x3f80, 0xc020, 0x3380]],
  ] as const)("may be %s", async (type, dtype, halves) => {
    const values = [1, -2.5, 2 ** -24];
    const file = await encode(stored({ w: { shape: [3], values } }), { type, metadata: { format: "pt" } });
    const start = 8 + Number(file.readBigUInt64LE(0));
    expect(JSON.parse(file.subarray(8, start).toString())).toEqual({
      __metadata__: { format: "pt" },
      w: entry([3], 0, 6, dtype),
    });
    expect([0, 2, 4].map((at) => file.readUInt16LE(start + at))).toEqual(halves);
    expect((await decode(file)).get("w")!.values).toEqual(Float32Array.from(values));
  });

  test("is read from a file, which may be longer than what is read at a time", async () => {
    const folder = mkdtempSync(join(tmpdir(), "softbox-"));
    const path = join(folder, "large.safetensors");
    const values = Float32Array.from({ length: 2 ** 20 + 3 }, (_, i) => i);
    writeFileSync(path, await encode(new Map([["w", tensorInMemory(values, [values.length])]])));
    const file = await openSafetensors(path);
    const read = await collectTensor(file.tensors.get("w")!);
    expect([read.length, read.findIndex((value, i) => value !== i)]).toEqual([values.length, -1]);
    await file.close();
    rmSync(folder, { recursive: true });
    await expect(openSafetensors(path)).rejects.toThrow("there is no such file");
  });
});

describe("what is refused", () => {
  test.each<[string, Buffer, string]>([
    ["no bytes", Buffer.alloc(0), "expected at least 8 bytes, got 0"],
    ["half a length", Buffer.alloc(7), "expected at least 8 bytes, got 7"],
    ["a header behind the end", fileOf("{}", 0).subarray(0, 9), "a header of 2 bytes does not fit a file of 9"],
    ["a header of 2^63 bytes", Buffer.alloc(8, 0xff), "does not fit"],
    ["a header that is no JSON", fileOf("{", 0), "its header is not a JSON object"],
    ["a header that is a list", fileOf([], 0), "its header is not a JSON object"],
    ["a header that is nothing", fileOf("null", 0), "its header is not a JSON object"],
    ["a header that begins with a space", fileOf(" {}", 0), "its header is not a JSON object"],
    ["a header that is no UTF-8", fileOf(Buffer.from([0x7b, 0x22, 0xff, 0x22]), 0), "its header is not"],
    [
      "a name twice",
      fileOf('{"w":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"\\u0077":{}}', 0),
      'the key "w" twice',
    ],
    ["a field twice", fileOf('{"w":{"dtype":"F32","shape":[],"shape":[1],"data_offsets":[0,4]}}', 4), '"shape" twice'],
    ["metadata that are no text", fileOf({ __metadata__: { a: 1 } }, 0), "__metadata__"],
    ["a tensor that is a number", fileOf({ w: 3 }, 4), "tensor w"],
    ["an unknown type", fileOf({ w: entry([1], 0, 4, "F31") }, 4), "tensor w"],
    ["a type that cannot be read", fileOf({ w: entry([1], 0, 8, "I64") }, 8), "tensor w is stored as I64"],
    ["another type's size", fileOf({ w: entry([1], 0, 4, "F16") }, 4), "shape [1] needs 2 bytes"],
    ["a negative size", fileOf({ w: entry([-1], 0, 4) }, 4), "tensor w"],
    ["half a size", fileOf({ w: entry([0.5], 0, 2) }, 2), "tensor w"],
    ["offsets backwards", fileOf({ w: entry([1], 4, 0) }, 4), "shape [1] needs 4 bytes"],
    ["a shape larger than its data", fileOf({ w: entry([2], 0, 4) }, 4), "shape [2] needs 8 bytes"],
    ["a shape that overflows", fileOf({ w: entry([2 ** 31, 2 ** 31, 2 ** 31], 0, 4) }, 4), "needs"],
    ["a tensor behind the end", fileOf({ w: entry([2], 0, 8) }, 4), "tensor w ends behind the end"],
    ["a gap", fileOf({ a: entry([1], 0, 4), b: entry([1], 8, 12) }, 12), "tensor b starts at 8, expected 4"],
    ["an overlap", fileOf({ a: entry([2], 0, 8), b: entry([1], 4, 8) }, 8), "tensor b starts at 4, expected 8"],
    ["bytes at the end", fileOf({ w: entry([1], 0, 4) }, 5), "1 bytes follow the last tensor"],
    ["an unknown field", fileOf({ w: { ...entry([1], 0, 4), extra: 1 } }, 4), "tensor w"],
  ])("%s", async (_, file, message) => {
    await expect(decode(file)).rejects.toMatchObject({
      name: "SandboxError",
      message: expect.stringContaining(message) as string,
      hint: expect.any(String) as string,
    });
  });

  test("a file that grows shorter while it is read", async () => {
    const file = await encode(stored(small));
    let left = Number(file.readBigUInt64LE(0)) + 20;
    const read = async (into: Uint8Array, position: number): Promise<number> => {
      const bytes = file.subarray(position, position + Math.min(into.length, left));
      left -= bytes.length;
      into.set(bytes);
      return bytes.length;
    };
    const tensors = await readSafetensors("x", { size: file.length, read });
    await expect(collectTensor(tensors.get("blocks.0.kernel")!)).rejects.toThrow("it ended while it was read");
  });
});

test("the metadata that others write are passed over", async () => {
  const file = fileOf({ __metadata__: { format: "pt" }, w: entry([1], 0, 4) }, 4);
  expect([...(await decode(file)).keys()]).toEqual(["w"]);
});

/** The tensors that a file holds by the plainest reading of the format, with no check at all. */
function plainReading(file: Buffer): Map<string, { shape: number[]; values: Float32Array }> {
  const start = 8 + Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.subarray(8, start).toString()) as Record<string, never>;
  const entries = Object.entries(header).filter(([name]) => name !== "__metadata__");
  return new Map(
    entries.map(([name, { dtype, shape, data_offsets }]: [string, Record<string, never>]) => {
      const [from, to] = data_offsets as unknown as [number, number];
      const bytes = file.subarray(start + from, start + to);
      const values =
        dtype === "F32" ? Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i)) : [];
      if (dtype === "BF16")
        for (let i = 0; i < bytes.length; i += 2)
          values.push(Buffer.from([0, 0, bytes[i]!, bytes[i + 1]!]).readFloatLE(0));
      return [name, { shape: shape as unknown as number[], values: Float32Array.from(values) }];
    }),
  );
}

/** Ways in which a file goes wrong, at random places. */
const damages: readonly ((file: Buffer, random: RandomStream, header: number) => Buffer)[] = [
  (file, random) => {
    file[random.below(file.length)]! ^= 1 << random.below(8);
    return file;
  },
  (file, random) => file.subarray(0, random.below(file.length)),
  (file, random) => {
    const at = random.below(file.length);
    return Buffer.concat([file.subarray(0, at), Buffer.from([random.below(256)]), file.subarray(at)]);
  },
  (file, random, header) => {
    file[random.below(header)] = random.below(256);
    return file;
  },
  (file, random, header) => {
    const digits = [...file.keys()].filter((at) => at >= 8 && at < header && file[at]! >= 0x30 && file[at]! <= 0x39);
    file[digits[random.below(digits.length)]!] = 0x30 + random.below(10);
    return file;
  },
  (file, random, header) => {
    const [a, b] = [8 + random.below(header - 8), 8 + random.below(header - 8)];
    const length = Math.min(1 + random.below(12), header - Math.max(a, b));
    file.copyWithin(b, a, a + length);
    return file;
  },
  (file, random, header) => {
    const [from, to] = [random.below(file.length), random.below(file.length)];
    const cut = Buffer.concat([file.subarray(0, Math.min(from, to)), file.subarray(Math.max(from, to))]);
    if (cut.length > 8) cut.writeBigUInt64LE(BigInt(header - 8 - random.below(3)), 0);
    return cut;
  },
];

test("5,000 damaged files are refused, or give exactly the tensors that they hold; none gives another error", async () => {
  const float32 = await encode(stored(small), { metadata: { by: "softbox" } });
  const bfloat16 = await encode(stored(small), { type: "bfloat16" });
  const random = createRandomStream(randomKey(1, "mutations"));
  const outcomes = { refused: 0, read: 0 };
  for (let i = 0; i < 5000; i++) {
    const file = i % 2 ? float32 : bfloat16;
    const header = 8 + Number(file.readBigUInt64LE(0));
    const damaged = damages[i % damages.length]!(Buffer.from(file), random, header);
    try {
      const read = await decode(damaged);
      expect([...read]).toHaveLength(plainReading(damaged).size);
      expect(read).toEqual(plainReading(damaged));
      outcomes.read++;
    } catch (error) {
      expect(error).toMatchObject({ name: "SandboxError", hint: expect.any(String) });
      outcomes.refused++;
    }
  }
  expect(outcomes.refused).toBeGreaterThan(2000);
  expect(outcomes.read).toBeGreaterThan(200); // flipped bits of data or names: a manifest's SHA-256 is what finds those
});
