import { expect, test } from "vitest";
import { layoutOf } from "./layout.ts";

test("the parts fill the window but for its last line, at every size", () => {
  for (let rows = 2; rows <= 200; rows++) {
    for (const hasMixture of [true, false]) {
      const { columns: _, lines, ...parts } = layoutOf({ columns: 80, rows }, hasMixture);
      expect(lines).toBe(rows - 1);
      expect(Object.values(parts).reduce((a, b) => a + b, 0)).toBe(lines);
      for (const part of Object.values(parts)) expect(part).toBeGreaterThanOrEqual(0);
    }
  }
});

test("40×10 still has text, bars, settings and keys", () => {
  expect(layoutOf({ columns: 40, rows: 10 }, true)).toMatchObject({
    text: 2,
    bars: 3,
    settings: 1,
    entropy: 1,
    hints: 1,
  });
});
