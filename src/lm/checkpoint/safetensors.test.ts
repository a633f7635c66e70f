import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createRandomStream, randomKey } from "../../engine/random.ts";
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from "./safetensors.ts";

const joined = (tensors: ReadonlyMap<string, StoredTensor>): Buffer => Buffer.concat(encodeSafetensors(tensors));

const stored = (entries: Record<string, { shape: number[]; values: number[] }>): Map<string, StoredTensor> =>
  new Map(
    Object.entries(entries).map(([name, { shape, values }]) => [name, { shape, values: Float32Array.from(values) }]),
  );

/** A file with any header over `bytes` bytes of data. */
function fileOf(header: unknown, bytes: number): Buffer {
  const json = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, Buffer.alloc(bytes, 1)]);
}

const entry = (shape: number[], start: number, end: number, dtype = "F32"): object => ({
  dtype,
  shape,
  data_offsets: [start, end],
});

const small = stored({
  "blocks.0.kernel": { shape: [2, 3], values: [1, -2, 3.5, Number.NaN, Number.POSITIVE_INFINITY, -0] },
  bias: { shape: [1], values: [1e-45] },
  scalar: { shape: [], values: [7] },
  empty: { shape: [0, 4], values: [] },
});

describe("what is written", () => {
  test("is read back the same, bit by bit, whatever names, shapes and values", () => {
    const tensor = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 }).chain((shape) => {
      const size = shape.reduce((a, b) => a * b, 1);
      return fc.float32Array({ minLength: size, maxLength: size }).map((values) => ({ shape, values }));
    });
    const names = fc.string({ unit: "binary" }).filter((name) => name !== "__metadata__" && name !== "__proto__");
    fc.assert(
      fc.property(fc.array(fc.tuple(names, tensor), { maxLength: 6 }), (entries) => {
        const tensors = new Map(entries);
        const read = decodeSafetensors("x", joined(tensors));
        expect(read).toEqual(tensors);
      }),
    );
  });

  test("is what the specification shows: length, JSON padded to eights, little-endian data", () => {
    const file = joined(stored({ w: { shape: [2], values: [1, 2] } }));
    expect(file.readBigUInt64LE(0) % 8n).toBe(0n);
    const headerLength = Number(file.readBigUInt64LE(0));
    expect(
      file
        .subarray(8, 8 + headerLength)
        .toString()
        .trimEnd(),
    ).toBe('{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}');
    expect([file.readFloatLE(8 + headerLength), file.readFloatLE(12 + headerLength)]).toEqual([1, 2]);
  });

  test("is read from any offset in memory, into memory of its own", () => {
    const file = joined(small);
    const padded = new Uint8Array(file.length + 3);
    padded.set(file, 3);
    const read = decodeSafetensors("x", padded.subarray(3));
    padded.fill(0);
    expect(read).toEqual(small);
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
    ["a header that is no UTF-8", fileOf(Buffer.from([0xff, 0xfe]).toString("latin1"), 0), "its header is not"],
    ["a tensor that is a number", fileOf({ w: 3 }, 4), "tensor w"],
    ["another type", fileOf({ w: entry([1], 0, 4, "F64") }, 4), "tensor w"],
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
  ])("%s", (_, file, message) => {
    expect(() => decodeSafetensors("model.safetensors", file)).toThrow(
      expect.objectContaining({
        name: "SandboxError",
        message: expect.stringContaining(message),
        hint: expect.any(String),
      }) as Error,
    );
  });
});

test("the metadata that others write is passed over", () => {
  const file = fileOf({ __metadata__: { format: "pt" }, w: entry([1], 0, 4) }, 4);
  expect([...decodeSafetensors("x", file).keys()]).toEqual(["w"]);
});

test("600 damaged files are refused, or say exactly what they hold; none gives another error", () => {
  const file = joined(small);
  const random = createRandomStream(randomKey(1, "mutations"));
  const [headerEnd, outcomes] = [8 + Number(file.readBigUInt64LE(0)), { refused: 0, read: 0 }];
  for (let i = 0; i < 600; i++) {
    let damaged = Buffer.from(file);
    const kind = i % 4;
    const at = random.below(kind === 3 ? headerEnd : file.length);
    if (kind === 0) damaged[at]! ^= 1 << random.below(8);
    else if (kind === 1) damaged = damaged.subarray(0, at);
    else if (kind === 2)
      damaged = Buffer.concat([damaged.subarray(0, at), Buffer.from([random.below(256)]), damaged.subarray(at)]);
    else damaged[at] = random.below(256);
    try {
      const read = decodeSafetensors("x", damaged);
      // What is read is what the file says: written again it has the same data, in the same order.
      const again = joined(read);
      expect(again.subarray(8 + Number(again.readBigUInt64LE(0)))).toEqual(
        damaged.subarray(8 + Number(damaged.readBigUInt64LE(0))),
      );
      outcomes.read++;
    } catch (error) {
      expect(error).toMatchObject({ name: "SandboxError" });
      outcomes.refused++;
    }
  }
  expect(outcomes.refused).toBeGreaterThan(200);
  expect(outcomes.read).toBeGreaterThan(20); // flipped bits of data: the manifest's SHA-256 is what finds those
});
