// Every example runs as a reader runs it, and says what the guide says of it.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { beforeAll, expect, test } from "vitest";

/** Runs a compiled example. */
function output(name: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [`examples/built/${name}.js`, ...args], {
    encoding: "utf8",
  });
  expect(stderr).toBe("");
  expect(status).toBe(0);
  return stdout;
}
/** Numbers on the first line that begins so. */
const numbersAfter = (text: string, start: string): number[] => {
  const line = text.split("\n").find((candidate) => candidate.trim().startsWith(start));
  return [...line!.slice(line!.indexOf(start) + start.length).matchAll(/-?\d+\.\d+(?:e[+-]\d+)?/g)].map(Number);
};

beforeAll(() => {
  // Through the script itself, which compiles them all.
  const { status, stdout, stderr } = spawnSync(process.execPath, ["examples/run.mjs", "formula"], { encoding: "utf8" });
  expect([status, stderr]).toEqual([0, ""]);
  expect(numbersAfter(stdout, "softbox")).toEqual([0.6285, 0.2312, 0.1402]);
  expect(stdout).toMatch(/as it is written +NaN +NaN +NaN/);
});

test("a name that is none is told, with those that are", () => {
  const { status, stderr } = spawnSync(process.execPath, ["examples/run.mjs", "digit"], { encoding: "utf8" });
  expect(status).toBe(1);
  expect(stderr).toBe(
    'error: there is no example "digit"\nhint: npm run example <name>, one of attention, bottleneck, digits, formula, loss, sigmoid, temperature, vocabulary.\n',
  );
});

test("loss: the gradient in the scores is p − 1 where right, by formula, by difference, by tape", () => {
  const text = output("loss");
  for (const way of ["p − 1 where right", "by difference", "by tfjs's tape"])
    expect(numbersAfter(text, way).slice(0, 4)).toEqual([0.6095, -0.7758, 0.136, 0.0303]);
  expect(text).toContain("10  loss 0.0736");
});

test("sigmoid: two classes are one; three compete in a softmax alone", () => {
  const text = output("sigmoid");
  expect(numbersAfter(text, "softmax").slice(0, 4)).toEqual([0.6221, 0.3773, 0.0006, 1]);
  expect(numbersAfter(text, "sigmoid").slice(0, 4)).toEqual([0.9526, 0.9241, 0.018, 1.8947]);
});

test("attention: which weights sum to one, and which are exactly zero", () => {
  const rows = output("attention").trim().split("\n");
  expect(rows).toHaveLength(24);
  expect(rows[4]).toMatch(/sparsemax( +\d\.000){6} +1\.000 +5$/);
  expect(rows.at(-4)).toMatch(/softmax1.* 0\.009 +0$/);
});

test("vocabulary: tiles give the same loss and gradient as the whole matrix", () => {
  const lines = output("vocabulary").split("\n");
  const told = (way: string) =>
    lines
      .filter((line) => line.includes(way))
      .map((line) => /loss (\S+) {2}gradient (\S+)/.exec(line)!.slice(1).map(Number));
  const [whole, tiles] = [told("at once"), told("in tiles")];
  expect(whole).toHaveLength(3);
  for (const [i, numbers] of whole.entries())
    for (const [k, value] of numbers.entries()) expect(Math.abs(tiles[i]![k]! / value - 1)).toBeLessThan(1e-4);
});

test("temperature: a low one sharpens, a filter leaves few, 0 writes the likeliest", () => {
  const text = output("temperature");
  const [plain, low, high, three] = ["as it is", "temperature 0.5", "temperature 2", "top-k 3"].map(
    (name) => numbersAfter(text, name).slice(1) as [number, number, number, number],
  );
  expect(low![0]).toBeGreaterThan(plain![0]);
  expect(high![0]).toBeLessThan(plain![0]);
  expect(three![0] + three![1] + three![2]).toBeCloseTo(1, 2);
  expect(text.match(/^temperature [\d.]+: "The whale/gm)).toHaveLength(3);
});

test("bottleneck: one softmax has rank E + 1, a mixture all of it", () => {
  const text = output("bottleneck");
  expect(text).toContain("one softmax      rank 9, at most 9");
  expect(text).toContain("mixture of 4     rank 60, at most 60");
});

test("digits: at least 95 % either way, more honest after temperature scaling, with the picture beside the bars", () => {
  const text = output("digits", "12");
  const accuracies = [...text.matchAll(/accuracy (\S+) %/g)].map((match) => Number(match[1]));
  expect(accuracies).toHaveLength(3);
  for (const accuracy of accuracies) expect(accuracy).toBeGreaterThanOrEqual(95);
  expect(Math.abs(accuracies[0]! - accuracies[1]!)).toBeLessThan(1);
  const nll = [...text.matchAll(/NLL (\S+)/g)].map((match) => Number(match[1]));
  expect(nll[2]).toBeLessThan(nll[1]!);
  expect(text.match(/[█▀▄].* {2}\d 0\.\d{3}/g)!.length).toBeGreaterThan(5);
}, 180_000);

test("all of them are run here", () => {
  const names = readdirSync("examples").filter((file) => file.endsWith(".ts") && !/test|Data/.test(file));
  expect(names.map((name) => name.slice(0, -3)).sort()).toEqual([
    "attention",
    "bottleneck",
    "digits",
    "formula",
    "loss",
    "sigmoid",
    "temperature",
    "vocabulary",
  ]);
});
