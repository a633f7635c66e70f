/**
 * @file What repairs of the top label's confidence share: the pairs they are fitted on, and what becomes of the other classes.
 *
 * Such a repair says `c' = g(c)` for the likeliest class. The others keep their proportions and share what is left:
 * `p'_v = p_v (1 − c') / (1 − c)`. Where c' falls below the second likeliest, that one becomes the likeliest.
 */
import { eachRow, type LogProbs, type Predictions, type TopLabel, topLabel } from "../predictions.ts";

/** Top labels of a stream, three numbers a prediction. */
export interface TopLabels {
  /** `log c`, `[N]`. */
  readonly logTop: Float64Array;
  /** `log (1 − c)`, `[N]`. */
  readonly logRest: Float64Array;
  /** 1 where the likeliest class came true, `[N]`. */
  readonly correct: Uint8Array;
}

export async function collectTopLabels(predictions: Predictions): Promise<TopLabels> {
  const { count } = predictions;
  const labels = { logTop: new Float64Array(count), logRest: new Float64Array(count), correct: new Uint8Array(count) };
  await eachRow(predictions, (row, target, index) => {
    const { id, logTop, logRest } = topLabel(row);
    labels.logTop[index] = logTop;
    labels.logRest[index] = logRest;
    labels.correct[index] = id === target ? 1 : 0;
  });
  return labels;
}

/** Confidences, `[N]`. */
export const confidencesOf = ({ logTop }: TopLabels): Float64Array => logTop.map(Math.exp);

/** Log-odds of a confidence, finite: beyond ±100 nats nothing changes. */
export const logOdds = ({ logTop, logRest }: Pick<TopLabel, "logTop" | "logRest">): number =>
  Math.max(-100, Math.min(100, Math.max(-1e4, logTop) - Math.max(-1e4, logRest)));

/**
 * A probability held away from 0 and 1, so that nothing becomes impossible by a repair.
 *
 * @param samples - how many predictions the repair was fitted on: no sample of n proves more than `(n + 1) / (n + 2)` (Laplace's
 * rule of succession).
 */
export function held(probability: number, samples: number): number {
  const least = 1 / (samples + 2);
  return Math.min(1 - least, Math.max(least, probability));
}

/** Writes the row with its top label's probability set to `confidence`, held as `samples` allow. */
export function spread(
  row: LogProbs,
  top: TopLabel,
  confidence: number,
  samples: number,
  repaired: Float64Array,
): void {
  const others = row.length - 1;
  if (others === 0) {
    repaired[0] = 0;
    return;
  }
  const share = held(confidence, samples);
  const isCertain = top.logRest === Number.NEGATIVE_INFINITY;
  const shift = Math.log1p(-share) - (isCertain ? Math.log(others) : top.logRest);
  if (isCertain) repaired.fill(shift);
  else for (let v = 0; v < row.length; v++) repaired[v] = row[v]! + shift;
  repaired[top.id] = Math.log(share);
}
