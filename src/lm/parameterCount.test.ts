import { beforeAll, expect, test } from "vitest";
import { everyModel, tinyConfig } from "../../test/support/models.ts";
import { useEngine } from "../engine/engine.ts";
import { createModel } from "./model.ts";
import { countParametersOf } from "./parameterCount.ts";

beforeAll(() => useEngine("cpu"));

test.each(everyModel)("the count of $name told beforehand is that of the model", ({ kind, head }) => {
  for (const output of [{}, { tied: false, bias: true }]) {
    const config = tinyConfig(kind, head, { output });
    const model = createModel(config, 1);
    expect(countParametersOf(config)).toBe(model.parameterCount);
    model.dispose();
  }
});
