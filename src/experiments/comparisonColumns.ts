/** @file What a comparison tells of each variant, as columns of text: for the terminal and for a report. */
import type { Comparison, Figure, Variant } from "./comparison.ts";
import { formatCount, formatSeconds, formatSigned } from "./numbers.ts";

export interface Column {
  readonly title: string;
  readonly text: (variant: Variant) => string;
}

const mean = (figure: Figure | undefined, digits: number): string => figure?.mean.toFixed(digits) ?? "";

/** `5.7612 ± 0.0031`; one seed has no spread. */
const spread = (figure: Figure | undefined, digits: number): string =>
  figure === undefined
    ? "–"
    : figure.mean.toFixed(digits) + (figure.deviation === undefined ? "" : ` ± ${figure.deviation.toFixed(digits)}`);

/** What a variant costs. */
export const costColumns: readonly Column[] = [
  { title: "parameters", text: ({ parameters }) => formatCount(parameters) },
  { title: "steps", text: ({ step }) => formatCount(step) },
  { title: "tokens", text: ({ tokens }) => formatCount(tokens.mean) },
  { title: "training", text: ({ seconds }) => formatSeconds(seconds.mean) },
  { title: "ms/step", text: ({ millisecondsPerStep }) => mean(millisecondsPerStep, 1) },
  { title: "peak MiB", text: ({ peakMiB }) => mean(peakMiB, 0) },
];

/** How good it is. */
export const qualityColumns: readonly Column[] = [
  { title: "nats per token", text: ({ nats }) => spread(nats, 4) },
  { title: "perplexity", text: ({ perplexity }) => mean(perplexity, 2) },
  { title: "bits/byte", text: ({ bitsPerByte }) => mean(bitsPerByte, 4) },
];

/** How far it had come where all had come as far. */
export const commonColumns = ({ common }: Pick<Comparison, "common">): Column[] => [
  { title: `after ${formatCount(common.step)} steps`, text: ({ at }) => spread(at.step, 4) },
  { title: `after ${formatCount(common.tokens)} tokens`, text: ({ at }) => spread(at.tokens, 4) },
  { title: `after ${formatSeconds(common.seconds)}`, text: ({ at }) => spread(at.seconds, 4) },
];

/** Against the first variant: `+0.0123 (−0.0010 to +0.0256)`; the first has none. */
export function differenceText({ difference }: Variant): string | undefined {
  if (difference === undefined) return undefined;
  const { interval, mean: value } = difference;
  return `${formatSigned(value)}${interval ? ` (${formatSigned(interval.lower)} to ${formatSigned(interval.upper)})` : ""}`;
}

/** Whether variants were not trained for as long: then {@link commonColumns} say more than the ends do. */
export function isUneven(variants: readonly Variant[]): boolean {
  const times = variants.map(({ seconds }) => seconds.mean);
  return variants.some(({ step }) => step !== variants[0]!.step) || Math.max(...times) > 1.1 * Math.min(...times);
}

/** What is to be known of the figures: on how much text, over how many seeds, what the interval is. */
export function comparisonNotes(variants: readonly Variant[]): string[] {
  const tokens = new Set(variants.flatMap(({ runs }) => runs.map(({ evaluatedTokens }) => evaluatedTokens)));
  const seeds = new Set(variants.flatMap((variant) => variant.seeds));
  const paired = variants.every(({ difference }) => difference?.paired ?? true);
  const counts = new Set(variants.map((variant) => variant.seeds.length));
  const first = `${[...tokens].map(formatCount).join(" or ")} tokens of validation text, at the last step; training is time of steps alone`;
  if (seeds.size === 1 && counts.size === 1)
    return [first, "one seed: how much of a difference is chance cannot be told; --seeds 3 would"];
  return [
    first,
    `± is the standard deviation over ${counts.size === 1 ? `${[...counts][0]} seeds` : "the seeds of each"}; in brackets the 95 % interval of the mean difference`,
    `(Student's t, ${paired ? "seed by seed" : "Welch"}); where it holds 0 the difference is within the spread`,
  ];
}
