import { expect, test } from "vitest";
import { z } from "zod";
import { describeIssues } from "./issues.ts";

const Schema = z.strictObject({
  size: z.int().positive(),
  share: z.number().min(0).lt(1),
  kind: z.enum(["char", "byte"]),
  head: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("softmax") }),
    z.strictObject({ kind: z.literal("mos"), mixtures: z.int().min(1) }),
  ]),
  list: z.array(z.string()),
});

const lines = (raw: unknown): string => describeIssues(Schema.safeParse(raw).error!, raw);

test("every wrong value has a line of its own: path, what must hold, what was there", () => {
  const raw = { size: 1.5, share: 1, kind: "word", head: { kind: "moc" }, list: ["a", 2], extra: 1, other: 2 };
  expect(lines(raw)).toMatchInlineSnapshot(`
    "  size: expected a whole number, got 1.5
      share: expected a number < 1, got 1
      kind: expected char or byte, got "word"
      head.kind: expected softmax or mos, got "moc" (did you mean mos?)
      list.1: expected a string, got 2
      extra: there is no such key
      other: there is no such key"
  `);
});

test("what is missing, and what is something else altogether", () => {
  expect(lines({ size: "12", share: Number.NaN, kind: "char", head: { kind: "mos" } })).toMatchInlineSnapshot(`
    "  size: expected a number, got "12"
      share: expected a number, got NaN
      head.mixtures: expected a number, got nothing
      list: expected an array, got nothing"
  `);
  expect(lines([])).toMatchInlineSnapshot(`"  the whole: expected an object, got []"`);
});

test("a key that there is not leads to one that there is", () => {
  const raw = { sise: 1, head: { kind: "mos", mixture: 2 }, hed: {}, mixtures: 3, elephant: 1 };
  const told = describeIssues(Schema.safeParse(raw).error!, raw, Schema);
  expect(told.split("\n").filter((line) => line.includes("no such key"))).toEqual([
    "  head.mixture: there is no such key (did you mean head.mixtures?)",
    "  sise: there is no such key (did you mean size?)",
    "  hed: there is no such key (did you mean head?)",
    "  mixtures: there is no such key (did you mean head.mixtures?)",
    "  elephant: there is no such key",
  ]);
});

test("long values are cut", () => {
  const long = { size: "x".repeat(1000), share: 0, kind: "char", head: { kind: "softmax" }, list: [] };
  expect(lines(long).length).toBeLessThan(120);
});
