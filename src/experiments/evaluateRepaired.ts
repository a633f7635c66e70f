/** @file Loss on held-out text of a repaired model, beside the same without the repair, over the same windows. */
import type { Predictions } from "../calibration/predictions.ts";
import { eachRow } from "../calibration/predictions.ts";
import { type Repair, rowRepair } from "../calibration/repairs/table.ts";
import type { Evaluation } from "../training/evaluation.ts";

/** `nats` and what follows from it are after the repair. */
export interface RepairedEvaluation extends Evaluation {
  /** Nats per token without the repair. */
  readonly natsBefore: number;
}

/**
 * Mean loss over `predictions` after `repair`; sums run in float64.
 *
 * @param tokenBytes - bytes of every token, by id.
 */
export async function evaluateRepaired(
  predictions: Predictions,
  repair: Repair,
  tokenBytes: Int32Array,
): Promise<RepairedEvaluation> {
  const apply = rowRepair(repair);
  const repaired = new Float64Array(predictions.classes);
  let [before, after, bytes, tokens] = [0, 0, 0, 0];
  await eachRow(predictions, (row, target) => {
    apply(row, repaired);
    before -= row[target]!;
    after -= repaired[target]!;
    bytes += tokenBytes[target]!;
    tokens++;
  });
  const nats = after / tokens;
  const bitsPerByte = after / (Math.LN2 * bytes);
  return { nats, natsBefore: before / tokens, perplexity: Math.exp(nats), bitsPerByte, tokens };
}
