/** @file Spectra side by side, largest singular value first, on a logarithmic scale, as text. */
import type { Spectrum } from "./spectrum.ts";

/** One curve of a plot. */
export interface NamedSpectrum {
  readonly name: string;
  readonly spectrum: Spectrum;
}

const marks = ["•", "×", "+", "o"];

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
