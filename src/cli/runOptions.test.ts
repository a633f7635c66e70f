import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { RunConfig } from "../experiments/config.ts";
import { recipeNames } from "../experiments/recipes.ts";
import { describeKeys } from "./describeKeys.ts";
import { configFlags, givenFlags, resolveConfig } from "./runOptions.ts";

test.each(recipeNames())("the recipe %s is a whole configuration, and says what to expect", (name) => {
  expect(resolveConfig(name, {}).description).toMatch(/\w{3,}.*\.$/);
});

describe("a configuration", () => {
  test("is the recipe, then flags, then --set", () => {
    const set = ["training.batchSize=7", "training.schedule.kind=linear", 'probes=["a","b"]'];
    const config = resolveConfig("nano-char", { layers: "3", batchSize: "5", head: "mos:2", set });
    expect(config.model).toMatchObject({ layers: 3, heads: 4, head: { kind: "mos", mixtures: 2 } });
    expect(config.training).toMatchObject({ batchSize: 7, schedule: { kind: "linear", warmupSteps: 100 } });
    expect(config.probes).toEqual(["a", "b"]);
  });

  test("takes text for text, also where it looks like a number", () => {
    const config = resolveConfig("nano-char", { corpus: "2024", set: ["sample.prompt=7", "description=true"] });
    expect([config.corpus, config.sample.prompt, config.description]).toEqual(["2024", "7", "true"]);
  });

  test("keeps what follows the first = of --set", () => {
    expect(resolveConfig("nano-char", { set: ["sample.prompt=a=b"] }).sample.prompt).toBe("a=b");
  });

  test("remembers a file by its whole path, a name as a name", () => {
    expect(resolveConfig("nano-char", { corpus: "package.json" }).corpus).toBe(resolve("package.json"));
    expect(resolveConfig("nano-char", { corpus: "src/**/*.md" }).corpus).toBe(resolve("src/**/*.md"));
    expect(resolveConfig("nano-char", { corpus: "sotu" }).corpus).toBe("sotu");
  });

  test("cannot reach out of itself", () => {
    expect(() => resolveConfig("nano-char", { set: ["__proto__.polluted=1"] })).toThrow(
      "__proto__: there is no such key",
    );
    expect(() => resolveConfig("nano-char", { set: ["model.__proto__.polluted=1"] })).toThrow("there is no such key");
    expect({}).not.toHaveProperty("polluted");
  });
});

test("given flags are told by the names that were typed", () => {
  expect(givenFlags({ batchSize: "3", recipe: "moby", set: ["a=1"], json: true })).toEqual([
    "--batch-size",
    "--set",
    "--recipe",
  ]);
});

test("the help on keys names every flag's path, with default and meaning", () => {
  const help = describeKeys(RunConfig);
  const paths = help.map(([path]) => path);
  for (const { path } of configFlags) expect(path === "model.head" ? "model.head.kind" : path).toBeOneOf(paths);
  expect(help).toContainEqual(["model.kind", "transformer | lstm | gru"]);
  expect(help).toContainEqual([
    "precision",
    'float32 | bfloat16: what the inputs of matrix products are rounded to while training; sums stay float32 (default "float32")',
  ]);
  expect(help).toContainEqual(["model.contextLength", "transformer: tokens seen at once (T) (default 64)"]);
  expect(help).toContainEqual(["model.contextLength", "lstm, gru: steps that gradients go back (T) (default 35)"]);
  expect(help).toContainEqual(["training.checkpointEvery", "steps between checkpoints; 0 = never (default 250)"]);
});
