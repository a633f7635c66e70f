import { expect, test } from "vitest";
import { headName, parseHead } from "./shortForm.ts";

test.each(["softmax", "mos:8", "moc:2", "sigsoftmax", "adaptive:2000,10000", "sigmoid"])(
  "%s reads as it is written",
  (text) => {
    expect(headName(parseHead(text))).toBe(text);
  },
);

test("a mixture without a number has four components", () => {
  expect(parseHead("mos")).toEqual({ kind: "mos", mixtures: 4 });
});

test("an adaptive softmax without cutoffs has a short list of 2,000 tokens and two clusters", () => {
  expect(headName(parseHead("adaptive"))).toBe("adaptive:2000,10000");
});

test.each([
  ["softmx", "softmax"],
  ["mox:4", "mos"],
  ["adaptve:200", "adaptive"],
])("%j is told to be near %s", (text, kind) => {
  expect(() => parseHead(text)).toThrow(
    expect.objectContaining({ hint: expect.stringMatching(`^Did you mean ${kind}\\?`) }),
  );
});

test.each([
  "",
  "softmaxx",
  "softmax:2",
  "mos:",
  "mos:0",
  "mos:1.5",
  "mos:257",
  "mos:2:3",
  "adaptive:",
  "adaptive:10,5",
  "adaptive:0",
  "sigmoid:1",
  "__proto__:1",
  "constructor",
])("%j is an error that names all heads", (text) => {
  expect(() => parseHead(text)).toThrow(
    "head: expected softmax, mos:K, moc:K, sigsoftmax, adaptive:cutoff,cutoff,… or sigmoid",
  );
});
