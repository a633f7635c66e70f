import { appendFileSync, mkdtempSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { crcOf, readEventFile } from "../../../test/support/tfevents.ts";
import { crc32c, maskedCrc32c } from "./crc32c.ts";
import { cutEventFiles, eventFiles, openEventFile } from "./eventFile.ts";
import { histogramOfValues } from "./summary.ts";

const empty = (): string => mkdtempSync(join(tmpdir(), "softbox-board-"));

describe("CRC-32C", () => {
  test("of the examples of RFC 3720, B.4", () => {
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
    expect(crc32c(Buffer.from("123456789"))).toBe(0xe3069283);
  });

  test("of any bytes is that of long division", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => crc32c(bytes) === crcOf(bytes)));
  });

  test("masked is turned and moved, within 32 bits", () => {
    expect(maskedCrc32c(new Uint8Array(0))).toBe(0xa282ead8);
    expect(maskedCrc32c(Buffer.from("123456789"))).toBe(
      (((0xe3069283 >>> 15) | (0xe3069283 << 17)) + 0xa282ead8) >>> 0,
    );
  });
});

describe("a histogram", () => {
  test("counts every finite value once, between least and most", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), { minLength: 1 }), (values) => {
        const { least, most, edges, counts, sum } = histogramOfValues([
          ...values,
          Number.NEGATIVE_INFINITY,
          Number.NaN,
        ])!;
        expect(counts.reduce((a, b) => a + b)).toBe(values.length);
        expect([least, most, edges.at(-1)]).toEqual([Math.min(...values), Math.max(...values), Math.max(...values)]);
        expect(sum).toBeCloseTo(
          values.reduce((a, b) => a + b),
          6,
        );
        expect(edges.every((edge, i) => i === 0 || edge >= edges[i - 1]!)).toBe(true);
      }),
    );
  });

  test("puts values into the bucket whose edges hold them", () => {
    const { edges, counts } = histogramOfValues(Array.from({ length: 65 }, (_, i) => i))!;
    expect(edges.slice(0, 3)).toEqual([1, 2, 3]);
    expect(counts).toEqual([...Array.from({ length: 63 }, () => 1), 2]);
  });

  test("of one value is one bucket, of none there is none", () => {
    expect(histogramOfValues([2, 2])).toMatchObject({ least: 2, most: 2, edges: [2], counts: [2] });
    expect(histogramOfValues([Number.NaN])).toBeUndefined();
  });
});

describe("an event file", () => {
  test("holds what was added, each at its step and time, any step and any text", () => {
    const folder = empty();
    const file = openEventFile(folder, () => 1_700_000_000_500);
    const histogram = histogramOfValues([1, 2, 4])!;
    file.add(1, [
      { tag: "a", scalar: 0.5 },
      { tag: "b", scalar: Number.NaN },
    ]);
    file.add(300, [{ tag: "words", text: "Ünï\u0000 | *x*" }]);
    file.add(2 ** 40, [{ tag: "h", histogram }]);
    file.close();
    const [a, b, words, h] = readEventFile(eventFiles(folder)[0]!);
    expect(a).toEqual({ step: 1, wallTime: 1_700_000_000.5, tag: "a", scalar: 0.5 });
    expect(b!.scalar).toBeNaN();
    expect(words).toMatchObject({ step: 300, text: "Ünï\u0000 | *x*" });
    expect(h).toMatchObject({
      step: 2 ** 40,
      histogram: { min: 1, max: 4, num: 3, sum: 7, limits: histogram.edges, counts: histogram.counts },
    });
  });

  test("is cut where a resumed run begins, and where it was torn or damaged; a later one gets a later name", async () => {
    const folder = empty();
    const write = (steps: readonly number[]): string => {
      const file = openEventFile(folder, () => 5);
      for (const step of steps) file.add(step, [{ tag: "a", scalar: step }]);
      file.close();
      return eventFiles(folder).at(-1)!;
    };
    const steps = (path: string): number[] => readEventFile(path).map(({ step }) => step);
    const first = write([0, 1, 2, 3]);
    await cutEventFiles(folder, 2);
    expect(steps(first)).toEqual([0, 1, 2]);
    const second = write([3, 4, 5]);
    expect(second > first).toBe(true);
    truncateSync(second, readFileSync(second).length - 3);
    expect(() => steps(second)).toThrow();
    await cutEventFiles(folder, 9);
    expect([steps(first), steps(second)]).toEqual([
      [0, 1, 2],
      [3, 4],
    ]);
    const bytes = readFileSync(first);
    bytes[bytes.length - 6]! ^= 1;
    writeFileSync(first, bytes);
    appendFileSync(second, "torn");
    await cutEventFiles(folder, 9);
    expect([steps(first), steps(second)]).toEqual([
      [0, 1],
      [3, 4],
    ]);
  });

  test("others' files stay as they are", async () => {
    const folder = empty();
    const path = join(folder, "events.out.tfevents.1700000000.host.7.0");
    writeFileSync(path, "not ours");
    await cutEventFiles(folder, 0);
    expect(readFileSync(path, "utf8")).toBe("not ours");
  });
});
