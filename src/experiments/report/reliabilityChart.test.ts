import { expect, test } from "vitest";
import { chartFile } from "../../drawing/chart.ts";
import { reliabilityPanels } from "./reliabilityChart.ts";

const bin = (from: number, count: number) => ({
  ...{ from, to: from + 0.25, count, accuracy: from + 0.1, confidence: from + 0.2, lower: from, upper: from + 0.3 },
});

test("diagrams stand side by side, each with its title, its errors and how many tokens its bins hold", () => {
  const panels = [
    { title: "As <it> is", note: "ECE 0.1", bins: [bin(0, 0), bin(0.25, 4000), bin(0.5, 10), bin(0.75, 1)] },
    { title: "After vector", note: "ECE 0.01", bins: [bin(0, 0), bin(0.25, 0), bin(0.5, 0), bin(0.75, 0)] },
  ];
  const [svg, one] = [chartFile(reliabilityPanels(panels)), chartFile(reliabilityPanels(panels.slice(1)))];
  for (const text of ["As &lt;it&gt; is", "ECE 0.1", "After vector", "largest 4,000; heights are roots", "largest 1;"])
    expect(svg).toContain(text);
  expect(svg).toContain("prefers-color-scheme:dark");
  expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  const rectangles = (text: string): number => text.match(/fill="var\(--series[12]\)"/g)?.length ?? 0;
  expect([rectangles(svg), rectangles(one)]).toEqual([6, 0]); // a bar and its gap for each bin that holds something
});
