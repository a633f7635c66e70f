import { expect, test } from "vitest";
import { parseHead } from "../lm/heads/shortForm.ts";
import { compareRuns } from "./comparison.ts";
import { parseRunConfig } from "./config.ts";
import { natsAt, type RunOutcome } from "./outcome.ts";

interface Facts {
  readonly head?: string;
  readonly seed?: number;
  readonly nats?: number;
  readonly layers?: number;
  readonly changes?: Partial<RunOutcome>;
}

/** A run of 100 steps that evaluated at 50 and 100, half a second a step. */
function outcome({ head = "softmax", seed = 1, nats = 5, layers = 2, changes = {} }: Facts): RunOutcome {
  const config = parseRunConfig("test", {
    ...{ corpus: "moby-dick", tokenizer: "char", seed },
    model: { kind: "transformer", layers, head: parseHead(head) },
  });
  const name = `${head}-${layers}-${seed}`;
  const at = (step: number, value: number) => ({ step, tokens: 10 * step, seconds: step / 2, nats: value });
  return {
    ...{ name, folder: `runs/${name}`, config, parameters: 1000, step: 100, tokens: 1000, seconds: 50 },
    ...{ millisecondsPerStep: 500, nats, perplexity: Math.exp(nats), bitsPerByte: nats / 4, evaluatedTokens: 64 },
    ...{ bestNats: nats, curve: [at(50, nats + 1), at(100, nats)], corpus: "c", tokenizer: "t", machine: "m" },
    ...changes,
  };
}

test("runs that differ in nothing but the seed are one variant, the first is the baseline", () => {
  const { variants, cautions } = compareRuns([
    outcome({ seed: 1, nats: 5 }),
    outcome({ head: "mos:4", seed: 1, nats: 4.8 }),
    outcome({ seed: 2, nats: 5.2 }),
    outcome({ head: "mos:4", seed: 2, nats: 5.0 }),
  ]);
  expect(variants.map(({ label, seeds }) => [label, seeds])).toEqual([
    ["softmax", [1, 2]],
    ["mos:4", [1, 2]],
  ]);
  expect(variants[0]!.difference).toBeUndefined();
  expect(variants[0]!.nats.mean).toBeCloseTo(5.1, 12);
  expect(variants[0]!.nats.deviation).toBeCloseTo(0.1 * Math.SQRT2, 12);
  expect(variants[1]!.difference).toMatchObject({ paired: true, verdict: "better" });
  expect(cautions).toEqual([]);
});

test("a difference that seeds alone make is said to lie within the spread", () => {
  const { variants } = compareRuns([
    outcome({ seed: 1, nats: 5 }),
    outcome({ seed: 2, nats: 5.2 }),
    outcome({ head: "moc:2", seed: 1, nats: 5.1 }),
    outcome({ head: "moc:2", seed: 2, nats: 5.05 }),
  ]);
  expect(variants[1]!.difference!.verdict).toBe("within the spread");
});

test("curves are lined up where the shortest run ended", () => {
  const short = outcome({ head: "mos:4", changes: { step: 50, tokens: 500, seconds: 75 } });
  const curve = [
    { step: 25, tokens: 250, seconds: 37.5, nats: 6 },
    { step: 50, tokens: 500, seconds: 75, nats: 5 },
  ];
  const { variants, common } = compareRuns([outcome({}), { ...short, curve }]);
  expect(common).toEqual({ step: 50, tokens: 500, seconds: 50 });
  expect(variants[0]!.at).toMatchObject({ step: { mean: 6 }, tokens: { mean: 6 }, seconds: { mean: 5 } });
  expect(variants[1]!.at).toMatchObject({ step: { mean: 5 }, seconds: { mean: 6 - 12.5 / 37.5 } });
});

test("between evaluations a curve is straight, outside it is unknown", () => {
  const { curve } = outcome({});
  expect(natsAt(curve, "step", 75)).toBe(5.5);
  expect(natsAt(curve, "step", 100)).toBe(5);
  expect(natsAt(curve, "step", 49)).toBeUndefined();
  expect(natsAt(curve, "tokens", 1001)).toBeUndefined();
});

test("variants are named by the keys that differ where heads do not tell them apart", () => {
  const { variants } = compareRuns([outcome({}), outcome({ layers: 3 }), outcome({ head: "mos:2", layers: 3 })]);
  expect(variants.map(({ label }) => label)).toEqual(["layers 2, softmax", "layers 3, softmax", "layers 3, mos:2"]);
});

test("what was changed besides the head is told", () => {
  const { variants } = compareRuns([outcome({}), outcome({ head: "mos:2", layers: 3 })]);
  expect(variants.map(({ others }) => others)).toEqual([[], [{ path: "model.layers", before: 2, after: 3 }]]);
});

test("the same configuration and seed twice is refused", () => {
  expect(() => compareRuns([outcome({}), outcome({ changes: { folder: "other" } })])).toThrow(/with the same seed/);
});

test.each([
  [{ corpus: "other" }, "different texts"],
  [{ tokenizer: "other" }, "bits per byte alone"],
  [{ machine: "other" }, "times differ for that"],
])("runs with %j are compared with a caution", (changes, words) => {
  const { cautions } = compareRuns([outcome({}), outcome({ head: "mos:2", changes })]);
  expect(cautions).toEqual([expect.stringContaining(words)]);
});
