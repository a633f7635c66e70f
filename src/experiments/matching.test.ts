import { describe, expect, test } from "vitest";
import { ModelRecipe, parseModelConfig } from "../lm/config.ts";
import { parseHead } from "../lm/heads/shortForm.ts";
import { countParametersOf } from "../lm/parameterCount.ts";
import { matchParameters } from "./matching.ts";

const vocabSize = 300;
const families = {
  transformer: { kind: "transformer", embedSize: 32, layers: 2 },
  "transformer with SwiGLU": { kind: "transformer", embedSize: 32, layers: 2, feedForward: "swiglu" },
  lstm: { kind: "lstm", embedSize: 32, hiddenSizes: [96, 96] },
  "gru with a last layer as wide as the embedding": { kind: "gru", embedSize: 32, hiddenSizes: [96, 32] },
};

describe.each(Object.entries(families))("a %s", (_, family) => {
  const recipe = (head: string): ModelRecipe => ModelRecipe.parse({ ...family, head: parseHead(head) });
  const target = countParametersOf(parseModelConfig({ ...recipe("softmax"), vocabSize }));

  test.each(["softmax", "mos:4", "moc:4", "sigsoftmax", "adaptive:20,100"])(
    "with %s comes within 1 % of a softmax",
    (head) => {
      const { model, parameters } = matchParameters(recipe(head), vocabSize, target);
      expect(parameters).toBe(countParametersOf(parseModelConfig({ ...model, vocabSize })));
      expect(Math.abs(parameters / target - 1)).toBeLessThan(0.01);
      expect(model.embedSize).toBe(32);
    },
  );

  test("with softmax stays what it was", () => {
    const { model } = matchParameters(recipe("softmax"), vocabSize, target);
    expect(countParametersOf(parseModelConfig({ ...model, vocabSize }))).toBe(target);
  });

  test("grows where a larger head sets the number", () => {
    const larger = countParametersOf(parseModelConfig({ ...recipe("mos:8"), vocabSize }));
    const { parameters } = matchParameters(recipe("softmax"), vocabSize, larger);
    expect(Math.abs(parameters / larger - 1)).toBeLessThan(0.01);
  });
});

test("a head that leaves next to nothing of the layers is refused with what to do", () => {
  const recipe = ModelRecipe.parse({ ...families.transformer, head: parseHead("mos:64") });
  expect(() => matchParameters(recipe, vocabSize, 40_000)).toThrow(/so little would be left of the feed-forward width/);
});
