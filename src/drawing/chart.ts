/**
 * @file Charts as SVG, by Apache ECharts, drawn without a browser. Colours are names that a page or the picture itself resolves, so
 * that one picture serves light and dark. Whoever draws knows no more than what ECharts calls an option.
 */
import type { EChartsOption } from "echarts";
import { BarChart, CustomChart, HeatmapChart, LineChart } from "echarts/charts";
import { GridComponent, LegendComponent, TitleComponent } from "echarts/components";
import { init, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import { escapeXml } from "./svg.ts";

use([BarChart, CustomChart, HeatmapChart, LineChart]);
use([GridComponent, LegendComponent, TitleComponent, SVGRenderer]);

export interface Chart {
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** Read aloud in place of the picture. */
  readonly title: string;
  /** What ECharts draws; colours are those of {@link colour}. */
  readonly option: EChartsOption;
}

/** Each name in light and in dark; series are readable on their paper, by people who do not see red and green as well. */
const theme = {
  paper: ["#fdfdfb", "#15171c"],
  ink: ["#1d2027", "#e8e9ed"],
  soft: ["#5b616e", "#a4abb8"],
  rule: ["#e3e4e0", "#2b2f38"],
  series1: ["#2f6db3", "#7db4ee"],
  series2: ["#c8410f", "#f2936a"],
  series3: ["#1f7a3d", "#79cf91"],
  series4: ["#9b2f78", "#e99bd0"],
  series5: ["#8a6a00", "#dcc155"],
  series6: ["#0b7c86", "#56cbd4"],
  series7: ["#6a4fc1", "#b6a3ff"],
  series8: ["#5f6470", "#aab0bd"],
} as const satisfies Record<string, readonly [light: string, dark: string]>;

type ColourName = keyof typeof theme;

/** A colour as charts and pages name it. */
export const colour = (name: ColourName): string => `var(--${name})`;

const seriesColours = 8;

/** The colour of the i-th thing that is shown; there are eight. */
export const seriesColour = (i: number): string => colour(`series${(i % seriesColours) + 1}` as ColourName);

/** What colours are, as CSS: light, and dark where the reader's system is. `selector`: within what. */
export function themeRules(selector: string): string {
  const rules = (which: 0 | 1): string =>
    Object.entries(theme)
      .map(([name, pair]) => `--${name}:${pair[which]}`)
      .join(";");
  return `${selector}{${rules(0)}}@media (prefers-color-scheme:dark){${selector}{${rules(1)}}}`;
}

/** An `<svg>` for a page that holds {@link themeRules}; whatever text it shows is escaped. */
export function chartSvg({ width, height, title, option }: Chart): string {
  const chart = init(null, null, { renderer: "svg", ssr: true, width, height });
  try {
    chart.setOption({ animation: false, textStyle: { fontFamily: "inherit", color: colour("ink") }, ...option });
    return withTitle(withoutHover(chart.renderToSVGString()), title);
  } finally {
    chart.dispose();
  }
}

/** The chart as a file of its own, on a sheet of paper. */
export function chartFile(chart: Chart): string {
  const style = `${themeRules("svg")}svg{font-family:system-ui,sans-serif;background:var(--paper)}`;
  return `${chartSvg(chart).replace("</title>", `</title><style>${style}</style>`)}\n`;
}

const withTitle = (svg: string, title: string): string =>
  svg.replace(/^<svg [^>]*>/, (tag) => `${tag.slice(0, -1)} role="img"><title>${escapeXml(title)}</title>`);

/** A third of the size is for a mouse that nothing here listens to. */
const withoutHover = (svg: string): string =>
  svg
    .replace(/<style\s*>[\s\S]*?<\/style>\s*/g, "")
    .replace(/ (?:class|pointer-events|ecmeta_\w+|xmlns:xlink|version|baseProfile)="[^"]*"/g, "")
    .replace(/\n+/g, "\n");

/** Looks of an axis that all charts share. */
export const axisLook = {
  axisLine: { show: false },
  axisTick: { show: false },
  axisLabel: { color: colour("soft"), fontSize: 11, hideOverlap: true },
  splitLine: { lineStyle: { color: colour("rule") } },
  nameLocation: "middle",
  nameTextStyle: { color: colour("soft"), fontSize: 11 },
} as const;

/** Pixels a line of {@link legendColumn} takes. */
export const legendLine = 18;

/** The names of lines, one below the other from the top left. @param width - of the chart; longer names are cut. */
export const legendColumn = (names: readonly string[], width: number) => ({
  orient: "vertical" as const,
  left: 0,
  top: 0,
  itemGap: 4,
  itemHeight: legendLine - 4,
  itemWidth: 18,
  data: [...names],
  textStyle: { color: colour("ink"), fontSize: 12, width: width - 40, overflow: "truncate" as const },
});

/** What lines share: the mouse does nothing, dots are full. */
export const lineLook = (of: string) => ({
  type: "line" as const,
  silent: true,
  showSymbol: false,
  symbol: "circle",
  symbolSize: 5,
  itemStyle: { color: of, borderWidth: 0 },
});
