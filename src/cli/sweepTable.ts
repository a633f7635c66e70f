/** @file What a sweep found, a line a point: those that came furthest first, of these the best first. */
import { readOutcome } from "../experiments/outcome.ts";
import { deviationOf, meanOf } from "../experiments/statistics.ts";
import type { PointResult } from "../experiments/sweep/runSweep.ts";
import { formatCount, formatSeconds } from "./output.ts";

export function sweepTable(results: readonly PointResult[]): string[] {
  if (results.length === 0) return ["no trial has been evaluated"];
  const seeds = Math.max(...results.map(({ nats }) => nats.length));
  const rows = [
    ["", "nats per token", "steps", "parameters", "training", "first run"],
    ...results.map(({ name, nats, steps, folders }) => {
      const { parameters, curve, seconds } = readOutcome(folders[0]!);
      const there = curve.find(({ step }) => step === steps)?.seconds ?? seconds;
      return [name, natsText(nats), formatCount(steps), formatCount(parameters), formatSeconds(there), folders[0]!];
    }),
  ];
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  const lines = rows.map((row) => {
    const cells = row.map((cell, i) => (i === 0 || i === 5 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)));
    return cells.join("  ").trimEnd();
  });
  return [
    ...lines,
    "",
    ...(seeds > 1
      ? [`± is the standard deviation over ${seeds} seeds`]
      : ["one seed each: how much of a difference is chance cannot be told; --seeds 3 would"]),
  ];
}

function natsText(nats: readonly number[]): string {
  if (!nats.every(Number.isFinite)) return "not finite";
  const deviation = deviationOf(nats);
  return meanOf(nats).toFixed(4) + (deviation === undefined ? "" : ` ± ${deviation.toFixed(4)}`);
}
