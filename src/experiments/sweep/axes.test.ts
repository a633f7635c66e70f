import fc from "fast-check";
import { expect, test } from "vitest";
import { gridPoints, parseAxis, pointName, randomPoints } from "./axes.ts";

const pathOf = (name: string): string =>
  ({ lr: "training.optimizer.learningRate", head: "model.head", layers: "model.layers" })[name] ?? name;
const axis = (text: string) => parseAxis(text, pathOf);
const values = (text: string): string[] => gridPoints([axis(text)]).map(([only]) => only!.value);

test("a logarithmic range has equal ratios, a linear one equal steps", () => {
  expect(values("lr=1e-4..1e-2:log:5")).toEqual(["0.0001", "0.0003162", "0.001", "0.003162", "0.01"]);
  expect(values("dropout=0..0.4:3")).toEqual(["0", "0.2", "0.4"]);
});

test("a range whose ends are written as whole numbers has whole numbers, each once", () => {
  expect(values("layers=1..4")).toEqual(["1", "2", "3", "4"]);
  expect(values("layers=8..512:log:4")).toEqual(["8", "32", "128", "512"]);
});

test("a list of heads keeps the cutoffs of an adaptive softmax together", () => {
  expect(values("head=softmax,adaptive:20,100,mos:4")).toEqual(["softmax", "adaptive:20,100", "mos:4"]);
  expect(values("a.b=1,2,2,3")).toEqual(["1", "2", "3"]);
});

test("a grid is every combination, the last axis fastest", () => {
  const points = gridPoints([axis("head=softmax,mos:2"), axis("layers=1,2")]);
  expect(points.map(pointName)).toEqual([
    "softmax, layers 1",
    "softmax, layers 2",
    "mos:2, layers 1",
    "mos:2, layers 2",
  ]);
});

test("drawn points lie within their ranges, and are the same for the same seed", () => {
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      const axes = [axis("lr=1e-4..1e-2:log"), axis("layers=2..5"), axis("head=softmax,mos:2")];
      const points = randomPoints(axes, 8, seed);
      for (const [lr, layers, head] of points) {
        expect(Number(lr!.value)).toBeGreaterThanOrEqual(1e-4);
        expect(Number(lr!.value)).toBeLessThanOrEqual(1e-2);
        expect(["2", "3", "4", "5"]).toContain(layers!.value);
        expect(["softmax", "mos:2"]).toContain(head!.value);
      }
      expect(randomPoints(axes, 8, seed)).toEqual(points);
    }),
    { numRuns: 30 },
  );
});

test("a logarithmic range is drawn from evenly in the logarithm", () => {
  const drawn = randomPoints([axis("lr=1e-4..1e-2:log")], 2000, 7).map(([only]) => Number(only!.value));
  const below = drawn.filter((value) => value < 1e-3).length / drawn.length;
  expect(Math.abs(below - 0.5)).toBeLessThan(0.05); // four deviations of 2,000 coins, and some draws are equal
});

test.each(["", "lr", "=1,2", "lr=", "lr=2..1", "lr=0..1:log", "lr=1..2:1", "lr=1,,2"])(
  "%j is an error that shows how",
  (text) => {
    expect(() => axis(text)).toThrow(/^--sweep: expected/);
  },
);
