/** @file Spectra side by side, largest singular value first, on a logarithmic scale: as text and as SVG. */
import type { Spectrum } from "./spectrum.ts";

/** One curve of a plot. */
export interface NamedSpectrum {
  readonly name: string;
  readonly spectrum: Spectrum;
}

const marks = ["•", "×", "+", "o"];
const colours = ["#4477aa", "#cc3311", "#228833", "#aa3377"];

/** Decades that both axes share: where the largest value lies, and a little below the lowest tolerance. */
function decadesOf(all: readonly NamedSpectrum[]): { low: number; high: number } {
  const high = Math.ceil(Math.log10(Math.max(...all.map(({ spectrum }) => spectrum.singularValues[0]!))));
  const low = Math.floor(Math.log10(Math.min(...all.map(({ spectrum }) => spectrum.tolerance)))) - 1;
  return { low, high: Math.max(high, low + 1) };
}

/** @param width - columns of the whole plot. */
export function spectrumText(all: readonly NamedSpectrum[], width: number, height = 14): string[] {
  const { low, high } = decadesOf(all);
  const columns = Math.max(10, width - 8);
  const count = Math.max(...all.map(({ spectrum }) => spectrum.singularValues.length));
  const grid = Array.from({ length: height }, () => Array.from({ length: columns }, () => " "));
  const rowOf = (value: number): number => Math.round(((high - Math.log10(value)) / (high - low)) * (height - 1));
  for (const [i, { spectrum }] of all.entries()) {
    for (let column = 0; column < columns; column++) {
      const value = spectrum.singularValues[Math.round((column / (columns - 1)) * (count - 1))] ?? 0;
      const cells = value > 0 ? grid[rowOf(value)] : undefined; // below the plot there is none
      if (cells) cells[column] = marks[i % marks.length]!;
    }
    drawFloor(grid[rowOf(spectrum.tolerance)]!);
  }
  const label = (row: number): string => {
    if (row === 0) return `1e${high}`;
    return row === height - 1 ? `1e${low}` : "";
  };
  const lines = grid.map((cells, row) => `${label(row).padStart(6)} ${cells.join("").trimEnd()}`.trimEnd());
  const legend = all.map(({ name }, i) => `${marks[i % marks.length]} ${name}`).join("   ");
  return [...lines, `${" ".repeat(7)}1${String(count).padStart(columns - 1)}`, `       ${legend}   · below: rounding`];
}

/** Dots where a row is empty. */
function drawFloor(cells: string[]): void {
  for (const [column, mark] of cells.entries()) if (mark === " ") cells[column] = "·";
}

/** Sizes in pixels. */
const [width, height, margin] = [640, 360, 56];

export function spectrumSvg(all: readonly NamedSpectrum[]): string {
  const { low, high } = decadesOf(all);
  const count = Math.max(...all.map(({ spectrum }) => spectrum.singularValues.length));
  const x = (i: number): string => (margin + (i / Math.max(1, count - 1)) * (width - 2 * margin)).toFixed(1);
  const y = (value: number): string =>
    (margin + ((high - Math.log10(value)) / (high - low)) * (height - 2 * margin)).toFixed(1);
  const decades = Array.from({ length: high - low + 1 }, (_, i) => low + i);
  const text = (atX: number | string, atY: number | string, content: string, anchor = "middle"): string =>
    `<text x="${atX}" y="${atY}" text-anchor="${anchor}">${escaped(content)}</text>`;
  const curves = all.flatMap(({ name, spectrum }, i) => {
    const points = spectrum.singularValues.flatMap((value, at) => (value >= 10 ** low ? [`${x(at)},${y(value)}`] : []));
    const colour = colours[i % colours.length]!;
    const [bottom, line] = [y(spectrum.tolerance), margin + 16 * (i + 1)];
    return [
      `<polyline points="${points.join(" ")}" fill="none" stroke="${colour}" stroke-width="2"/>`,
      `<path d="M${margin},${bottom}H${width - margin}" stroke="${colour}" stroke-dasharray="4 3"/>`,
      `<g fill="${colour}">${text(width - margin - 6, line, `${name}: rank ${spectrum.rank}, effective ${spectrum.effectiveRank.toFixed(1)}`, "end")}</g>`,
    ];
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="sans-serif" font-size="11">`,
    "<title>Singular values of log-probabilities</title>",
    `<rect width="${width}" height="${height}" fill="white"/>`,
    ...decades.map((decade) => text(margin - 6, y(10 ** decade), `1e${decade}`, "end")),
    `<rect x="${margin}" y="${margin}" width="${width - 2 * margin}" height="${height - 2 * margin}" fill="none" stroke="#333"/>`,
    text(margin, height - margin + 16, "1"),
    text(width - margin, height - margin + 16, String(count)),
    text(
      width / 2,
      height - margin + 32,
      "singular values of the log-probabilities, largest first (dashed: what rounding can make)",
    ),
    ...curves,
    "</svg>\n",
  ].join("\n");
}

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
