/** @file What a few seeds say: mean, spread, and whether two variants differ by more than chance. Arithmetic on plain numbers. */

export const meanOf = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** Sample standard deviation, `√(Σ (x − x̄)² / (n − 1))`; undefined for fewer than two values. */
export function deviationOf(values: readonly number[]): number | undefined {
  if (values.length < 2) return undefined;
  const mean = meanOf(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}

export function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2;
}

/** A figure of one variant, by seed. */
export type BySeed = ReadonlyMap<number, number>;

/** How much larger a figure is than the baseline's. */
export interface Difference {
  readonly mean: number;
  /** 95 % interval of the mean difference (Student's t); absent where seeds are too few. */
  readonly interval?: { readonly lower: number; readonly upper: number };
  /** Taken seed by seed, so that what a seed does to both cancels. */
  readonly paired: boolean;
}

/**
 * `value − baseline` with a 95 % interval: of the differences seed by seed where both have the same seeds, else Welch's.
 * An interval that holds 0 is a difference within the spread of seeds.
 */
export function differenceOf(value: BySeed, baseline: BySeed): Difference {
  const paired = value.size === baseline.size && [...value.keys()].every((seed) => baseline.has(seed));
  if (paired) {
    const differences = [...value].map(([seed, figure]) => figure - baseline.get(seed)!);
    const deviation = deviationOf(differences);
    const error = deviation === undefined ? undefined : deviation / Math.sqrt(differences.length);
    return withInterval(meanOf(differences), error, differences.length - 1, true);
  }
  const sides = [value, baseline].map((side) => [...side.values()]) as [number[], number[]];
  const mean = meanOf(sides[0]) - meanOf(sides[1]);
  if (sides.some((side) => side.length < 2)) return { mean, paired: false };
  const shares = sides.map((side) => deviationOf(side)! ** 2 / side.length) as [number, number];
  const error = Math.sqrt(shares[0] + shares[1]);
  const divisor = shares[0] ** 2 / (sides[0].length - 1) + shares[1] ** 2 / (sides[1].length - 1);
  const freedom = divisor > 0 ? error ** 4 / divisor : sides[0].length + sides[1].length - 2; // Welch 1947
  return withInterval(mean, error, freedom, false);
}

function withInterval(mean: number, error: number | undefined, freedom: number, paired: boolean): Difference {
  if (error === undefined) return { mean, paired };
  const reach = error * studentQuantile(freedom);
  return { mean, interval: { lower: mean - reach, upper: mean + reach }, paired };
}

/** What an interval says of a figure of which less is better. */
export type Verdict = "better" | "worse" | "within the spread" | "one seed: unknown";

export function verdictOf({ interval }: Difference): Verdict {
  if (interval === undefined) return "one seed: unknown";
  if (interval.upper < 0) return "better";
  return interval.lower > 0 ? "worse" : "within the spread";
}

/** 97.5 % quantiles of Student's t for 1 to 30 degrees of freedom. */
const quantiles = [
  12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.306, 2.2622, 2.2281, 2.201, 2.1788, 2.1604, 2.1448, 2.1314,
  2.1199, 2.1098, 2.1009, 2.093, 2.086, 2.0796, 2.0739, 2.0687, 2.0639, 2.0595, 2.0555, 2.0518, 2.0484, 2.0452, 2.0423,
] as const;

/** The 97.5 % quantile; fractions of a degree are rounded down, which widens intervals. */
export function studentQuantile(freedom: number): number {
  const whole = Math.max(1, Math.floor(freedom));
  // Beyond the table the first terms of the Cornish-Fisher expansion (Abramowitz and Stegun 26.7.5) are exact to 1e-4.
  const z = 1.959964;
  return (
    quantiles[whole - 1] ?? z + (z ** 3 + z) / (4 * whole) + (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * whole ** 2)
  );
}
