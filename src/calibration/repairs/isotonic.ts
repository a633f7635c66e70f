/**
 * @file Isotonic regression (Zadrozny & Elkan 2002) of the top label: the rising step function of least squared error, by
 * pooling adjacent violators (Ayer et al. 1955), linear between steps, constant beyond them.
 */
import { z } from "zod";
import { sortedOrder } from "../bins.ts";
import { binAmong } from "./histogram.ts";
import { confidencesOf, type TopLabels } from "./topLabels.ts";

const probability = z.number().min(0).max(1);

export const IsotonicRepair = z
  .strictObject({
    kind: z.literal("isotonic"),
    samples: z.int().nonnegative(),
    /** Confidences, ascending. */
    at: z.array(probability),
    /** What they become, ascending. */
    shares: z.array(probability),
  })
  .refine(({ at, shares }) => at.length === shares.length, "at and shares must be equally many");
export type IsotonicRepair = z.infer<typeof IsotonicRepair>;

interface Step {
  from: number;
  to: number;
  sum: number;
  count: number;
}

export function fitIsotonic(labels: TopLabels): IsotonicRepair {
  const steps = pooled(distinct(confidencesOf(labels), labels.correct));
  const corners = steps.flatMap(({ from, to, sum, count }) =>
    (from === to ? [from] : [from, to]).map((at) => ({ at, share: sum / count })),
  );
  return {
    kind: "isotonic",
    samples: labels.correct.length,
    at: corners.map(({ at }) => at),
    shares: corners.map(({ share }) => share),
  };
}

/** One step a distinct confidence, in order. */
function distinct(confidences: Float64Array, correct: Uint8Array): Step[] {
  const steps: Step[] = [];
  for (const n of sortedOrder(confidences)) {
    const at = confidences[n]!;
    const last = steps.at(-1);
    if (last?.to === at) {
      last.sum += correct[n]!;
      last.count++;
    } else steps.push({ from: at, to: at, sum: correct[n]!, count: 1 });
  }
  return steps;
}

/** Joins neighbours until shares rise. */
function pooled(steps: readonly Step[]): Step[] {
  const result: Step[] = [];
  for (const step of steps) {
    let joined = step;
    for (let last = result.at(-1); last && last.sum * joined.count >= joined.sum * last.count; last = result.at(-1)) {
      joined = { from: last.from, to: joined.to, sum: last.sum + joined.sum, count: last.count + joined.count };
      result.pop();
    }
    result.push(joined);
  }
  return result;
}

/** Without any sample a confidence stays what it is. */
export function isotonicConfidence({ at, shares }: IsotonicRepair, confidence: number): number {
  if (at.length === 0) return confidence;
  const above = binAmong(at, confidence);
  if (above === 0) return shares[0]!;
  if (above === at.length) return shares.at(-1)!;
  const [x0, x1, y0, y1] = [at[above - 1]!, at[above]!, shares[above - 1]!, shares[above]!];
  return Math.min(y1, y0 + ((confidence - x0) / (x1 - x0)) * (y1 - y0));
}
