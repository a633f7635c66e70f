import { expect, test } from "vitest";
import { sparkline } from "./sparkline.ts";

test("values become blocks, and what is out of range the nearest one", () => {
  expect(sparkline([0, 1, 4, 7.9, 8, 99], 8)).toBe("▁▂▅███");
  expect(sparkline([-1, Number.NaN, Number.POSITIVE_INFINITY], 8)).toBe("▁▁█");
});
