/** @file The chart of loss curves: validation thick, training thin, over steps, tokens or seconds. */
import { axisLook, type Chart, legendColumn, legendLine, lineLook, seriesColour } from "../../drawing/chart.ts";
import { formatCount, formatDuration } from "../numbers.ts";
import type { CurvePoint, Measure } from "../outcome.ts";
import type { ReportRun } from "./reportRun.ts";

/** What the horizontal axis is called, and how its numbers read. */
export const axes = {
  step: { title: "steps", format: shortNumber },
  tokens: { title: "tokens", format: shortNumber },
  seconds: { title: "training time", format: (seconds: number) => formatDuration(seconds) },
} as const satisfies Record<Measure, { title: string; format: (value: number) => string }>;

/** `12,500` as it is, from 100,000 on `0.1 M`. */
function shortNumber(value: number): string {
  return value < 1e5 ? formatCount(value) : `${Number((value / 1e6).toPrecision(3))} M`;
}

/** @param width - pixels. */
export function curvesChart(runs: readonly ReportRun[], measure: Measure, width: number): Chart {
  const top = legendLine * runs.length + 16;
  const bottom = 44;
  const plot = Math.min(340, Math.round(width * 0.62));
  const names = runs.map(({ label, outcome }) => `${label}  ${outcome.nats.toFixed(4)}`);
  const { title, format } = axes[measure];
  const axis = { ...axisLook, type: "value" as const };
  return {
    width,
    height: top + plot + bottom,
    title: `Loss over ${title}: ${names.join("; ")} nats per token at the last evaluation`,
    option: {
      grid: { left: 44, right: 16, top, bottom },
      legend: legendColumn(names, width),
      xAxis: {
        ...axis,
        name: title,
        nameGap: 26,
        max: "dataMax",
        axisLabel: { ...axisLook.axisLabel, formatter: format },
      },
      yAxis: { ...axis, scale: true, ...ceilingOf(runs), axisLabel: { ...axisLook.axisLabel, showMaxLabel: false } },
      series: runs.flatMap(({ outcome, training }, i) => [
        { ...line(i, training.points, measure), name: `training ${i}`, lineStyle: thin(i) },
        {
          ...line(i, outcome.curve, measure),
          name: names[i]!,
          showSymbol: true,
          lineStyle: { width: 2.5, color: seriesColour(i) },
        },
      ]),
    },
  };
}

const thin = (i: number) => ({ width: 1, color: seriesColour(i), opacity: 0.65 });

const line = (i: number, points: readonly CurvePoint[], measure: Measure) => ({
  ...lineLook(seriesColour(i)),
  data: points.map((point) => [point[measure], Number(point.nats.toFixed(5))]),
});

/** A little above the first evaluation, so that the fall of the first steps does not flatten all that follows. */
function ceilingOf(runs: readonly ReportRun[]): { max?: number } {
  if (runs.some(({ outcome }) => outcome.curve.length < 3)) return {};
  const highest = Math.max(...runs.map(({ outcome }) => outcome.curve.find(({ step }) => step > 0)!.nats));
  const lowest = Math.min(...runs.map(({ outcome }) => outcome.bestNats));
  return highest > lowest ? { max: Number((highest + 0.15 * (highest - lowest)).toPrecision(3)) } : {};
}
