import { expect, test } from "vitest";
import { textCells } from "./cells.ts";
import { type ChartOptions, type Curve, chartLines } from "./chart.ts";
import { theme } from "./theme.ts";

const text = (curves: readonly Curve[], options: Partial<ChartOptions> = {}) =>
  chartLines(curves, { width: 40, height: 8, logX: false, logY: false, ...options })
    .map((spans) => spans.map((span) => span.text).join(""))
    .join("\n");
const line = (points: readonly (readonly [number, number])[], form: Curve["form"] = "line"): Curve => ({
  points: points.map(([x, y]) => ({ x, y })),
  form,
  look: theme.plain,
});

test("a falling line, with axes", () => {
  expect(
    text([
      line([
        [1, 4],
        [101, 0],
      ]),
    ]),
  ).toMatchInlineSnapshot(`
    "      4┤⠉⠒⠤⣀⡀                           
           │    ⠈⠑⠢⠤⣀                       
           │         ⠉⠒⠢⢄⡀                  
          2┤             ⠈⠉⠒⠤⣀⡀             
           │                  ⠈⠑⠢⠤⣀         
           │                       ⠉⠒⠢⢄⡀    
          0┤                           ⠈⠉⠒⠤⣀
           └1──────────────51────────────101"
  `);
});

test("on a logarithmic axis an exponential decay is a straight line", () => {
  const decay = line(
    Array.from({ length: 50 }, (_, i) => [i + 1, Math.exp(-i / 10)]),
    "dots",
  );
  const straight = line(
    Array.from({ length: 50 }, (_, i) => [i + 1, 50 - i]),
    "dots",
  );
  const body = (chart: string) => chart.replace(/^.{8}/gm, "");
  expect(body(text([decay], { logY: true }))).toBe(body(text([straight])));
  expect(body(text([decay]))).not.toBe(body(text([straight])));
});

test("dots are where the values are", () => {
  // 2 × 4 dots in the only cell: low left and high right.
  const cell = text(
    [
      line(
        [
          [0, 0],
          [1, 1],
        ],
        "dots",
      ),
    ],
    { width: 1, height: 1 },
  );
  expect(cell).toBe(String.fromCharCode(0x2800 + 0x40 + 0x08));
});

test("what cannot be shown is left out, and an empty chart says so", () => {
  expect(text([line([[1, Number.NaN]])])).toContain("no point yet");
  expect(text([line([[1, -1]])], { logY: true })).toContain("no point yet");
});

test("at any size it keeps to its lines and cells", () => {
  const curves = [
    line([
      [1, 1e-9],
      [5e6, 1e9],
    ]),
    { ...line([[3, 2]], "marks"), mark: "◆" },
  ];
  for (const width of [1, 8, 20, 24, 39, 80, 200]) {
    for (const height of [1, 2, 3, 4, 10]) {
      const lines = text(curves, { width, height }).split("\n");
      expect(lines.length).toBe(height);
      for (const one of lines) expect(textCells(one)).toBeLessThanOrEqual(Math.max(width, 20));
    }
  }
});
