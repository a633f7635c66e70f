/** @file Charts of what is inside models: the spectrum of log-probabilities, where heads look. */
import { axisLook, type Chart, colour, legendColumn, legendLine, lineLook, seriesColour } from "../../drawing/chart.ts";
import type { Attention, HeadMap, ModelFigures } from "./figures.ts";
import { visibleToken } from "./html.ts";

const label = axisLook.axisLabel;
/** A spectrum with the name of its run. */
export interface NamedFigure {
  readonly label: string;
  readonly index: number;
  readonly figures: ModelFigures;
}

/** What of it a spectrum is drawn from. */
export interface SpectrumCurve extends Pick<NamedFigure, "label" | "index"> {
  readonly figures: { readonly spectrum: Pick<ModelFigures["spectrum"], "spectrum" | "bound"> };
}

/** Singular values, largest first, on a logarithmic scale; dashed, what rounding can make. */
export function spectrumChart(all: readonly SpectrumCurve[], width: number): Chart {
  const top = legendLine * all.length + 16;
  const names = all.map(
    ({ label: name, figures: { spectrum: it } }) => `${name}  rank ${it.spectrum.rank}, bound ${it.bound ?? "none"}`,
  );
  const floor = Math.min(...all.map(({ figures }) => figures.spectrum.spectrum.tolerance));
  const lowest = 10 ** (Math.floor(Math.log10(floor)) - 1);
  return {
    width,
    height: top + 240 + 44,
    title: `Singular values of log-probabilities: ${names.join("; ")}`,
    option: {
      grid: { left: 50, right: 16, top, bottom: 44 },
      legend: legendColumn(names, width),
      xAxis: {
        ...axisLook,
        type: "value",
        min: 1,
        max: "dataMax",
        name: "singular value, largest first",
        nameGap: 26,
        splitLine: { show: false },
      },
      yAxis: { ...axisLook, type: "log", min: lowest, axisLabel: { ...label, formatter: power } },
      series: all.flatMap(({ index, figures: { spectrum: it } }, i) => {
        const { singularValues, tolerance } = it.spectrum;
        const [look, line] = [lineLook(seriesColour(index)), { color: seriesColour(index) }];
        const points = singularValues.map((value, at) => [at + 1, Number(value.toPrecision(4))] as const);
        const ends = [1, singularValues.length].map((at) => [at, tolerance]);
        return [
          { ...look, name: names[i]!, lineStyle: { ...line, width: 2 }, data: drawable(points, lowest) },
          { ...look, name: `rounding ${i}`, lineStyle: { ...line, width: 1, type: "dashed" as const }, data: ends },
        ];
      }),
    },
  };
}

const power = (value: number): string => `1e${Math.round(Math.log10(value))}`;
/** At most some 200 points, none below the plot. */
const drawable = (points: readonly (readonly [number, number])[], lowest: number) =>
  points
    .filter(([, value], at) => at % Math.ceil(points.length / 200) === 0 && value >= lowest)
    .map(([x, y]) => [x, y]);

/** Below this a weight is not drawn. */
const faint = 0.02;
const cell = 9;
const widestLabel = 60;

/** Rows look at columns, which are in the same order; shades are roots of weights, so that small ones can be seen. */
export function attentionChart(
  { tokens }: Attention,
  { layer, head, weights }: HeadMap,
  title: string,
  i: number,
): Chart {
  const T = weights.length;
  const names = tokens.map(visibleToken);
  const left = Math.min(widestLabel, 12 + 5.5 * Math.max(...names.map(({ length }) => length)));
  const axis = { ...axisLook, type: "category" as const, splitLine: { show: false }, splitArea: { show: false } };
  return {
    width: left + cell * T + 6,
    height: 22 + cell * T + 6,
    title: `${title}: attention of layer ${layer + 1}, head ${head + 1}`,
    option: {
      title: {
        text: `layer ${layer + 1}, head ${head + 1}`,
        left: left,
        top: 2,
        padding: 0,
        textStyle: { fontSize: 11, fontWeight: "normal", color: colour("soft") },
      },
      grid: {
        left: left,
        top: 22,
        width: cell * T,
        height: cell * T,
        show: true,
        borderColor: colour("rule"),
        borderWidth: 1,
      },
      xAxis: { ...axis, data: names.map((_, at) => at), axisLabel: { show: false } },
      yAxis: {
        ...axis,
        data: names.map((_, at) => at),
        inverse: true,
        axisLabel: {
          color: colour("ink"),
          fontSize: 9,
          interval: 0,
          margin: 4,
          width: left - 6,
          overflow: "truncate",
          hideOverlap: false,
          formatter: (_: string, at: number) => names[at]!,
        },
      },
      series: [
        {
          type: "heatmap",
          silent: true,
          data: weights.flatMap((row, from) =>
            row.flatMap((weight, to) =>
              weight < faint
                ? []
                : [
                    {
                      value: [to, from, weight],
                      itemStyle: { color: seriesColour(i), opacity: Number(Math.sqrt(weight).toFixed(2)) },
                    },
                  ],
            ),
          ),
        },
      ],
    },
  };
}
