/**
 * @file How far each engine is from the float64 reference, as the laws of fused operations meet it: a table in the file that
 * `SOFTBOX_DIFFERENCES` names (`npm run differences`), else nothing.
 */
import { writeFileSync } from "node:fs";

type Kind = "value" | "gradient";

/** The largest so far by `operation kind`, then engine. */
const largest = new Map<string, Map<string, number>>();

/** Remembers a difference and gives it back. `name` is a case's: its first word is the operation. */
export function noted(engine: string, name: string, kind: Kind, difference: number): number {
  const key = `${name.replace(/^the mean of /, "").split(" ")[0]} | ${kind}`;
  const row = largest.get(key) ?? new Map<string, number>();
  row.set(engine, Math.max(row.get(engine) ?? 0, difference));
  largest.set(key, row);
  return difference;
}

const heading = `# Differences of the engines to float64

The largest error of each fused operation over all cases of \`test/laws/fusedOps.test.ts\`, against plain JavaScript in float64: values against its
results, gradients against its central differences. An error is the largest |x − expected| of an array, divided by its largest |expected| where
that is above 1. Made by \`npm run differences\`;
float32 has a unit roundoff of 6e-8. What is allowed is 1e-5 for values and 3e-5 for gradients.
`;

/** @param descriptions - of the engines, for the reader. */
export function writeDifferences(engines: readonly string[], descriptions: readonly string[]): void {
  const path = process.env.SOFTBOX_DIFFERENCES;
  if (!path) return;
  const cells = (row: Map<string, number>): string =>
    engines.map((engine) => row.get(engine)?.toExponential(1) ?? "–").join(" | ");
  const rows = [...largest].sort(([a], [b]) => a.localeCompare(b)).map(([key, row]) => `| ${key} | ${cells(row)} |`);
  const head = [`| operation | of | ${engines.join(" | ")} |`, `|---|---|${engines.map(() => "---|").join("")}`];
  writeFileSync(path, `${heading}\nEngines: ${descriptions.join("; ")}.\n\n${[...head, ...rows].join("\n")}\n`);
}
