/** @file Charts of how sure a model is against how often it is right: one for a page of many, or several side by side with counts. */
import type { CustomSeriesRenderItem, EChartsOption } from "echarts";
import type { ReliabilityBin } from "../../calibration/reliability.ts";
import { axisLook, type Chart, colour, seriesColour } from "../../drawing/chart.ts";
import type { ModelFigures } from "./figures.ts";

const unit = { ...axisLook, type: "value" as const, min: 0, max: 1, interval: 0.25 };
const confidence = { ...unit, name: "confidence", nameGap: 26 };
const share = { ...unit, name: "share that was right", nameGap: 32 };

const filledOf = (bins: readonly ReliabilityBin[]) => bins.filter(({ count }) => count > 0);
const mostOf = (bins: readonly ReliabilityBin[]): number => Math.max(1, ...bins.map(({ count }) => count));

/** A bar a bin, its height the share that was right, a whisker its interval, on the diagonal of perfect calibration. */
export function reliabilityChart({ bins, ece }: ModelFigures["reliability"], title: string, i: number): Chart {
  const most = mostOf(bins);
  const look = { colour: seriesColour(i), opacity: ({ count }: ReliabilityBin) => 0.3 + 0.7 * Math.sqrt(count / most) };
  return {
    width: 320,
    height: 300,
    title: `${title}: reliability, ECE ${ece.toFixed(4)}`,
    option: {
      grid: { left: 44, right: 16, top: 10, bottom: 44 },
      xAxis: confidence,
      yAxis: share,
      series: binsOnDiagonal(bins, look, 0),
    },
  };
}

/** One of several diagrams in a row. */
export interface ReliabilityPanel {
  readonly title: string;
  /** A line below the title, e.g. the errors. */
  readonly note: string;
  readonly bins: readonly ReliabilityBin[];
}

/** Pixels. */
const [plot, counts, left, gap, top] = [270, 56, 48, 40, 62];

/** Diagrams side by side: bars as above with the gap to the confidence over them, below how many tokens each bin holds. */
export function reliabilityPanels(panels: readonly ReliabilityPanel[]): Chart {
  const at = (i: number): number => left + i * (plot + left + gap);
  const below = top + plot + 58;
  const flat = { ...axisLook, axisLabel: { show: false }, splitLine: { show: false } };
  return {
    width: at(panels.length) - gap,
    height: below + counts + 30,
    title: `Reliability: ${panels.map(({ title, note }) => `${title}: ${note}`).join("; ")}`,
    option: {
      title: panels.map(({ title, note }, i) => titleAt(at(i), title, note)),
      grid: panels.flatMap((_, i) => [
        { left: at(i), top, width: plot, height: plot },
        { left: at(i), top: below, width: plot, height: counts },
      ]),
      xAxis: panels.flatMap(({ bins }, i) => [
        { ...confidence, gridIndex: 2 * i },
        {
          ...unit,
          ...flat,
          gridIndex: 2 * i + 1,
          name: `tokens a bin (largest ${mostOf(bins).toLocaleString("en-US")}; heights are roots)`,
          nameGap: 10,
        },
      ]),
      yAxis: panels.flatMap((_, i) => [
        { ...share, gridIndex: 2 * i },
        { ...unit, ...flat, gridIndex: 2 * i + 1 },
      ]),
      series: panels.flatMap(({ bins }, i) => [
        ...binsOnDiagonal(bins, { colour: seriesColour(0), opacity: () => 1, gap: seriesColour(1) }, 2 * i),
        custom(bins, drawCount(filledOf(bins), mostOf(bins)), 2 * i + 1),
      ]),
    },
  };
}

const titleAt = (x: number, text: string, subtext: string) => ({
  text,
  subtext,
  left: x,
  top: 8,
  padding: 0,
  itemGap: 6,
  textStyle: { fontSize: 14, color: colour("ink") },
  subtextStyle: { fontSize: 11, color: colour("soft") },
});

interface BinLook {
  readonly colour: string;
  readonly opacity: (bin: ReliabilityBin) => number;
  /** Of the gap between accuracy and confidence; absent: it is not drawn. */
  readonly gap?: string;
}

const custom = (bins: readonly ReliabilityBin[], renderItem: CustomSeriesRenderItem, axes: number) => ({
  type: "custom" as const,
  silent: true,
  xAxisIndex: axes,
  yAxisIndex: axes,
  renderItem,
  data: filledOf(bins).map((_, bin) => [bin]),
});

const binsOnDiagonal = (
  bins: readonly ReliabilityBin[],
  look: BinLook,
  axes: number,
): EChartsOption["series"] & object[] => [
  custom(bins, drawBin(filledOf(bins), look), axes),
  {
    type: "line",
    silent: true,
    showSymbol: false,
    xAxisIndex: axes,
    yAxisIndex: axes,
    lineStyle: { type: "dashed", width: 1.2, color: colour("soft") },
    data: [
      [0, 0],
      [1, 1],
    ],
  },
];

type Corner = [x: number, y: number];

const drawBin =
  (bins: readonly ReliabilityBin[], look: BinLook): CustomSeriesRenderItem =>
  ({ dataIndex }, { coord }) => {
    const bin = bins[dataIndex]!;
    const at = (x: number, y: number): Corner => coord([x, y]) as Corner;
    const shape = between(at(bin.from, bin.accuracy), at(bin.to, 0));
    const [low, high] = [Math.min(bin.accuracy, bin.confidence), Math.max(bin.accuracy, bin.confidence)];
    const [[middle, upper], [, lower]] = [at((bin.from + bin.to) / 2, bin.upper), at(0, bin.lower)];
    return {
      type: "group",
      children: [
        { type: "rect", shape, style: { fill: colour("paper") } }, // so that no grid shines through
        { type: "rect", shape, style: { fill: look.colour, opacity: look.opacity(bin) } },
        ...(look.gap === undefined
          ? []
          : [
              {
                type: "rect" as const,
                shape: between(at(bin.from, high), at(bin.to, low)),
                style: { fill: look.gap, opacity: 0.55 },
              },
            ]),
        {
          type: "line",
          shape: { x1: middle, y1: lower, x2: middle, y2: upper },
          style: { stroke: colour("ink"), lineWidth: 1.2 },
        },
      ],
    };
  };

/** A rectangle with a little room to its neighbours. */
const between = ([left, top]: Corner, [right, bottom]: Corner) => ({
  x: left + 0.5,
  y: top,
  width: right - left - 1,
  height: bottom - top,
});

const drawCount =
  (bins: readonly ReliabilityBin[], most: number): CustomSeriesRenderItem =>
  ({ dataIndex }, { coord }) => {
    const { from, to, count } = bins[dataIndex]!;
    const [upper, lower] = [coord([from, Math.sqrt(count / most)]) as Corner, coord([to, 0]) as Corner];
    return { type: "rect", shape: between(upper, lower), style: { fill: colour("soft"), opacity: 0.6 } };
  };
