/** @file Shares of one over training, one above the other: a probe's next tokens, or the weights of a mixture. */
import { axisLook, type Chart, colour, seriesColour } from "../../drawing/chart.ts";
import { axes } from "./curvesChart.ts";

/** One moment: shares by name, of 1 together at most. */
export interface Frame {
  readonly step: number;
  readonly shares: ReadonlyMap<string, number>;
}

/** Names that get a colour. */
const mostShown = 7;
const [width, height, legendWidth] = [352, 220, 142];

/** The names with the largest shares ever, the largest at the end first. */
export function shownNames(frames: readonly Frame[]): string[] {
  const peaks = new Map<string, number>();
  for (const { shares } of frames)
    for (const [name, share] of shares) peaks.set(name, Math.max(share, peaks.get(name) ?? 0));
  const last = frames.at(-1)!.shares;
  return [...peaks]
    .sort(([, a], [, b]) => b - a)
    .slice(0, mostShown)
    .map(([name]) => name)
    .sort((a, b) => (last.get(b) ?? 0) - (last.get(a) ?? 0));
}

/**
 * @param frames - at least one, by step.
 * @param title - what is shared, read aloud.
 */
export function sharesChart(frames: readonly Frame[], title: string): Chart {
  const names = shownNames(frames);
  const drawn = frames.length > 1 ? frames : [frames[0]!, frames[0]!]; // one moment is a band, not a line
  const last = frames.at(-1)!.shares;
  const entry = (name: string): string => `${percent(last.get(name) ?? 0)}  ${name}`;
  const label = axisLook.axisLabel;
  return {
    width,
    height,
    title,
    option: {
      grid: { left: 38, right: legendWidth + 14, top: 8, bottom: 40 },
      legend: {
        orient: "vertical",
        left: width - legendWidth,
        top: 4,
        itemGap: 6,
        itemWidth: 10,
        itemHeight: 10,
        icon: "rect",
        data: names.map(entry).reverse(), // as they lie
        textStyle: { color: colour("ink"), fontSize: 11, width: legendWidth - 16, overflow: "truncate" },
      },
      xAxis: {
        ...axisLook,
        type: "category",
        boundaryGap: false,
        data: drawn.map(({ step }) => step),
        name: axes.step.title,
        nameGap: 24,
        splitLine: { show: false },
        axisLabel: { ...label, formatter: (step: string) => axes.step.format(Number(step)) },
      },
      yAxis: { ...axisLook, type: "value", max: 1, interval: 0.25, axisLabel: { ...label, formatter: percent } },
      series: names.map((name, i) => ({
        name: entry(name),
        type: "line",
        stack: "all",
        silent: true,
        showSymbol: false,
        itemStyle: { color: seriesColour(i) },
        lineStyle: { width: 1, color: colour("paper") },
        areaStyle: { color: seriesColour(i), opacity: 0.85 },
        data: drawn.map(({ shares }) => Number((shares.get(name) ?? 0).toFixed(4))),
      })),
    },
  };
}

const percent = (share: number): string => `${(100 * share).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`;
