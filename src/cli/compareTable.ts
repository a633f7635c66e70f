/** @file A comparison as tables of at most 80 columns: what variants are and cost, how good they are, what of it is more than chance. */
import type { Comparison, Variant } from "../experiments/comparison.ts";
import {
  type Column,
  commonColumns,
  comparisonNotes,
  costColumns,
  differenceText,
  isUneven,
  qualityColumns,
} from "../experiments/comparisonColumns.ts";
import { changeLine } from "../experiments/configDiff.ts";
import type { RankFinding } from "./examineRank.ts";

/** All lines. */
export function compareTables(comparison: Comparison, ranks: ReadonlyMap<string, RankFinding> = new Map()): string[] {
  const { variants, cautions } = comparison;
  const lines = [...table(costColumns, variants), "", ...table([...qualityColumns, ...rankColumns(ranks)], variants)];
  if (isUneven(variants)) {
    lines.push("", "validation loss on the way, where all had come as far (the learning rate may not have):");
    lines.push(...table(commonColumns(comparison), variants));
  }
  if (variants.length > 1) lines.push("", `nats against ${variants[0]!.label}:`, ...differenceLines(variants));
  lines.push("", ...footnotes(variants, ranks), ...cautions.map((caution) => `caution: ${caution}`));
  return lines;
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
  return variants.flatMap((variant) => {
    const text = differenceText(variant);
    return text === undefined ? [] : [`${variant.label.padEnd(width)}  ${text}  ${variant.difference!.verdict}`];
  });
}

function footnotes(variants: readonly Variant[], ranks: ReadonlyMap<string, RankFinding>): string[] {
  const others = variants.flatMap(({ label, others: changes }) =>
    changes.length ? [`${label} also: ${changes.map(changeLine).join(", ")}`] : [],
  );
  const rankNote = "rank of the log-probabilities of the first seed's model; bound: what the head allows";
  return [...others, ...comparisonNotes(variants), ...(ranks.size > 0 ? [rankNote] : [])];
}
