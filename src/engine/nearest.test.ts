import { expect, test } from "vitest";
import { didYouMean, nearestName } from "./nearest.ts";

test("a near name is suggested, a far one is not", () => {
  const names = ["moby-dick", "sotu", "grammar"];
  expect(nearestName("moby_dick", names)).toBe("moby-dick");
  expect(nearestName("Gramar", names)).toBe("grammar");
  expect(nearestName("soto", names)).toBe("sotu");
  expect(nearestName("shakespeare", names)).toBeUndefined();
});

test("a hint begins with the near name, or with what else it has to say", () => {
  expect(`${didYouMean("mobi", ["moby", "twin"])}softbox runs lists them.`).toBe(
    "Did you mean moby? softbox runs lists them.",
  );
  expect(didYouMean("moby", ["moby", "twin"])).toBe("");
  expect(didYouMean("elephant", ["moby", "twin"])).toBe("");
});
