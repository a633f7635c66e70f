import { expect, test } from "vitest";
import { chartFile, chartSvg, colour, legendColumn, lineLook, seriesColour, themeRules } from "./chart.ts";

const chart = (name: string) => ({
  width: 300,
  height: 200,
  title: `Title of ${name}`,
  option: {
    grid: { left: 30, right: 10, top: 30, bottom: 20 },
    legend: legendColumn([name], 300),
    xAxis: { type: "value" as const },
    yAxis: { type: "value" as const },
    series: [
      {
        ...lineLook(colour("series1")),
        name,
        data: [
          [0, 1],
          [1, 3],
          [2, 2],
        ],
      },
    ],
  },
});

test("a line goes through its points, in a colour that the page resolves", () => {
  const svg = chartSvg(chart("a"));
  const path = /<path d="(M[^"]*)"[^>]*stroke="var\(--series1\)"/.exec(svg)![1]!;
  const points = [...path.matchAll(/[ML]([\d.]+) ([\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)]);
  expect(points).toEqual([
    [30, 130],
    [160, 30],
    [290, 80],
  ]); // 0…2 over 30…290, 0…3 over 180…30
});

test("names are text, whatever they hold; nothing listens to a mouse", () => {
  const svg = chartSvg(chart('</svg><script>"'));
  expect(svg).toContain("&lt;/svg&gt;&lt;script&gt;");
  expect(svg).not.toMatch(/<script|<style|hover|ecmeta/);
  expect(svg).toMatch(/^<svg [^>]*role="img"><title>Title of &lt;\/svg&gt;/);
});

test("a file brings its colours along, light and dark", () => {
  const file = chartFile(chart("a"));
  expect(file).toContain("<style>svg{--paper:#fdfdfb");
  expect(file).toContain("@media (prefers-color-scheme:dark){svg{--paper:#15171c");
});

/** Relative luminance of `#rrggbb` (WCAG 2.2). */
function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const share = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

test.each(["light", "dark"])(
  "in %s, letters have a contrast of 4.5 and more, lines of 3 and more (WCAG 1.4.3, 1.4.11)",
  (scheme) => {
    const block = themeRules("x").split("@media")[scheme === "light" ? 0 : 1]!;
    const colours = new Map([...block.matchAll(/--(\w+):(#\w{6})/g)].map(([, name, hex]) => [name!, luminance(hex!)]));
    const contrast = (name: string): number => {
      const [a, b] = [colours.get(name)!, colours.get("paper")!];
      return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    };
    expect(["ink", "soft", "series1"].filter((name) => contrast(name) < 4.5)).toEqual([]);
    expect([...colours.keys()].filter((name) => name.startsWith("series") && contrast(name) < 3)).toEqual([]);
    expect([...colours.keys()].filter((name) => name.startsWith("series"))).toHaveLength(8);
  },
);

test("the ninth thing has the colour of the first", () => {
  expect(seriesColour(8)).toBe(seriesColour(0));
  expect(new Set([0, 1, 2, 3, 4, 5, 6, 7].map(seriesColour)).size).toBe(8);
});
