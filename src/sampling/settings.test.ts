import { expect, test } from "vitest";
import { flagName, parseFilters, parseSamplingSettings } from "./settings.ts";

test("nothing given means the model's own distribution", () => {
  expect(parseSamplingSettings({})).toMatchObject({ temperature: 1, topK: 0, topP: 1, minP: 0, seed: 1 });
});

test.each([
  { temperature: 0 },
  { temperature: 1000 },
  { topK: 0 },
  { topK: 100_000 },
  { topP: 1e-9 },
  { topP: 1 },
  { minP: 0 },
  { minP: 1 },
  { seed: 0 },
  { seed: Number.MAX_SAFE_INTEGER },
])("%o is allowed", (settings) => {
  expect(parseSamplingSettings(settings)).toMatchObject(settings);
});

test.each([
  { temperature: -1 },
  { temperature: 1001 },
  { temperature: Number.NaN },
  { temperature: Number.POSITIVE_INFINITY },
  { temperature: "1" },
  { topK: -1 },
  { topK: 1.5 },
  { topP: 0 },
  { topP: 1.1 },
  { topP: Number.NaN },
  { minP: -0.1 },
  { minP: 1.1 },
  { seed: -1 },
  { seed: 0.5 },
  { seed: 2 ** 53 },
  { topQ: 1 },
])("%o is refused by its name", (settings) => {
  expect(() => parseSamplingSettings(settings)).toThrow(`  ${flagName(Object.keys(settings)[0]!)}: `);
});

test("all that is wrong is told at once", () => {
  expect(() => parseSamplingSettings({ temperature: -1, topP: 0, seed: 0.5 })).toThrowErrorMatchingInlineSnapshot(`
    [SandboxError: sampling:
      temperature: expected a number >= 0, got -1
      top-p: expected a number > 0, got 0
      seed: expected a whole number, got 0.5]
  `);
});

test("a filter's name mistyped is told with the one that is near", () => {
  expect(() => parseFilters("topk=3")).toThrow(
    expect.objectContaining({ hint: expect.stringMatching(/^Did you mean top-k\?/) }),
  );
});
