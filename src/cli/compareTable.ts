/** @file A comparison as tables of at most 80 columns: what variants are and cost, how good they are, what of it is more than chance. */
import type { Comparison, Figure, Variant } from "../experiments/comparison.ts";
import { changeLine } from "../experiments/configDiff.ts";
import type { RankFinding } from "./examineRank.ts";
import { formatCount, formatSeconds } from "./output.ts";

interface Column {
  readonly title: string;
  readonly text: (variant: Variant) => string;
}

const mean = (figure: Figure | undefined, digits: number): string => figure?.mean.toFixed(digits) ?? "";
/** `5.7612 ± 0.0031`; one seed has no spread. */
const spread = (figure: Figure | undefined, digits: number): string =>
  figure === undefined
    ? "–"
    : figure.mean.toFixed(digits) + (figure.deviation === undefined ? "" : ` ± ${figure.deviation.toFixed(digits)}`);
const signed = (value: number): string => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(4)}`;

const costs: readonly Column[] = [
  { title: "parameters", text: ({ parameters }) => formatCount(parameters) },
  { title: "steps", text: ({ step }) => formatCount(step) },
  { title: "tokens", text: ({ tokens }) => formatCount(tokens.mean) },
  { title: "training", text: ({ seconds }) => formatSeconds(seconds.mean) },
  { title: "ms/step", text: ({ millisecondsPerStep }) => mean(millisecondsPerStep, 1) },
  { title: "peak MiB", text: ({ peakMiB }) => mean(peakMiB, 0) },
];

const quality: readonly Column[] = [
  { title: "nats per token", text: ({ nats }) => spread(nats, 4) },
  { title: "perplexity", text: ({ perplexity }) => mean(perplexity, 2) },
  { title: "bits/byte", text: ({ bitsPerByte }) => mean(bitsPerByte, 4) },
];

/** All lines. */
export function compareTables(
  { variants, common, cautions }: Comparison,
  ranks: ReadonlyMap<string, RankFinding> = new Map(),
): string[] {
  const seeds = new Set(variants.flatMap((variant) => variant.seeds));
  const first = variants[0]!;
  const lines = [...table(costs, variants), "", ...table([...quality, ...rankColumns(ranks)], variants)];
  if (variants.some(({ step }) => step !== first.step) || isUneven(variants)) {
    const at = `${formatCount(common.step)} steps`;
    const times = formatSeconds(common.seconds);
    lines.push("", "validation loss on the way, where all had come as far (the learning rate may not have):");
    lines.push(
      ...table(
        [
          { title: `after ${at}`, text: (variant) => spread(variant.at.step, 4) },
          { title: `after ${formatCount(common.tokens)} tokens`, text: (variant) => spread(variant.at.tokens, 4) },
          { title: `after ${times}`, text: (variant) => spread(variant.at.seconds, 4) },
        ],
        variants,
      ),
    );
  }
  if (variants.length > 1) lines.push("", `nats against ${first.label}:`, ...differenceLines(variants));
  lines.push("", ...footnotes(variants, seeds.size, ranks), ...cautions.map((caution) => `caution: ${caution}`));
  return lines;
}

/** Whether training times differ by more than a tenth. */
function isUneven(variants: readonly Variant[]): boolean {
  const times = variants.map(({ seconds }) => seconds.mean);
  return Math.max(...times) > 1.1 * Math.min(...times);
}

const rankColumns = (ranks: ReadonlyMap<string, RankFinding>): Column[] =>
  ranks.size === 0
    ? []
    : [
        { title: "rank", text: ({ label }) => rankText(ranks.get(label)) },
        { title: "bound", text: ({ label }) => (ranks.has(label) ? String(ranks.get(label)!.bound ?? "none") : "") },
      ];
const rankText = (finding: RankFinding | undefined): string =>
  finding ? `${finding.spectrum.rank} of ${finding.spectrum.singularValues.length}` : "";

function table(columns: readonly Column[], variants: readonly Variant[]): string[] {
  const rows = [
    ["", ...columns.map(({ title }) => title)],
    ...variants.map((variant) => [variant.label, ...columns.map(({ text }) => text(variant))]),
  ];
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  return rows.map((row) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]! + 2)))
      .join("")
      .trimEnd(),
  );
}

function differenceLines(variants: readonly Variant[]): string[] {
  const width = Math.max(...variants.map(({ label }) => label.length));
  return variants.flatMap(({ label, difference }) => {
    if (difference === undefined) return [];
    const { interval, mean: value, verdict } = difference;
    const range = interval ? ` (${signed(interval.lower)} to ${signed(interval.upper)})` : "";
    return [`${label.padEnd(width)}  ${signed(value)}${range}  ${verdict}`];
  });
}

function footnotes(variants: readonly Variant[], seeds: number, ranks: ReadonlyMap<string, RankFinding>): string[] {
  const tokens = new Set(variants.flatMap(({ runs }) => runs.map(({ evaluatedTokens }) => evaluatedTokens)));
  const paired = variants.every(({ difference }) => difference?.paired ?? true);
  const counts = new Set(variants.map((variant) => variant.seeds.length));
  const lines = [
    ...variants.flatMap(({ label, others }) =>
      others.length ? [`${label} also: ${others.map(changeLine).join(", ")}`] : [],
    ),
    `${[...tokens].map(formatCount).join(" or ")} tokens of validation text, at the last step; training is time of steps alone`,
  ];
  if (seeds === 1 && counts.size === 1)
    lines.push("one seed: how much of a difference is chance cannot be told; --seeds 3 would");
  else
    lines.push(
      `± is the standard deviation over ${counts.size === 1 ? `${[...counts][0]} seeds` : "the seeds of each"}; in brackets the 95 % interval of the mean difference`,
      `(Student's t, ${paired ? "seed by seed" : "Welch"}); where it holds 0 the difference is within the spread`,
    );
  if (ranks.size > 0)
    lines.push("rank of the log-probabilities of the first seed's model; bound: what the head allows");
  return lines;
}
