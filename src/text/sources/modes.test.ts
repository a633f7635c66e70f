import { expect, test } from "vitest";
import { createModes, modesTruth, walkModes, writeModes } from "./modes.ts";

const source = { symbols: 12, modes: 5, sharpness: 2, seed: 3 };
const modes = createModes(source);
const truth = modesTruth(modes);

test("rows are distributions, and the stationary shares stay as they are", () => {
  for (const row of modes.logProbs) expect(row.reduce((sum, x) => sum + Math.exp(x), 0)).toBeCloseTo(1, 12);
  const next = modes.stationary.map((_, v) =>
    modes.logProbs.reduce((sum, row, c) => sum + modes.stationary[c]! * Math.exp(row[v]!), 0),
  );
  for (const [v, share] of next.entries()) expect(share).toBeCloseTo(modes.stationary[v]!, 12);
});

test("a walk has the frequencies and the entropy that are told", () => {
  const ids = walkModes(modes, 60_000, 1);
  const text = Array.from(ids, (id) => modes.symbols[id]!).join("");
  for (const [id, share] of modes.stationary.entries())
    expect(Math.abs(ids.filter((other) => other === id).length / ids.length - share)).toBeLessThan(0.012);
  // The mean of 60,000 surprises of deviation about 1 errs by 0.004.
  expect(Math.abs(truth.nats(text) / ids.length - truth.natsPerCharacter)).toBeLessThan(0.02);
});

test("nats add up what nextCharacters say; a foreign character is never written", () => {
  const text = writeModes(modes, 20, 5);
  let sum = 0;
  for (const [i, symbol] of [...text].entries())
    sum -= Math.log(truth.nextCharacters(text.slice(0, i)).find((next) => next.text === symbol)!.probability);
  expect(truth.nats(text)).toBeCloseTo(sum, 9);
  expect(truth.nats("a!")).toBe(Number.POSITIVE_INFINITY);
  expect(truth.nextCharacters("a!")).toEqual([]);
});

test("it is a function of its seed", () => {
  expect(writeModes(createModes(source), 50, 1)).toBe(writeModes(modes, 50, 1));
  expect(createModes({ ...source, seed: 4 }).logProbs[0]).not.toEqual(modes.logProbs[0]);
});
