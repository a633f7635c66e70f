/**
 * @file Predictions as plain numbers: rows of log-probabilities and the class that came true. Knows neither text nor tensors.
 *
 * For a vocabulary of 50,257 a row is 0.2 MB, so rows come in batches, are read and forgotten. What is fitted on them walks
 * over them several times: whoever gives them can give them again.
 */

/** Some rows; their memory may be used again once the next batch is asked for. */
export interface PredictionBatch {
  /** Natural logarithms of probabilities, row after row, `[N, V]`; −∞ is allowed. */
  readonly logProbs: Float32Array | Float64Array;
  /** The class that came true, `[N]`. */
  readonly targets: Int32Array;
}

/** Predictions that can be walked over again and again, each time the same. */
export interface Predictions {
  /** V. */
  readonly classes: number;
  /** Rows in all. */
  readonly count: number;
  batches(): Iterable<PredictionBatch> | AsyncIterable<PredictionBatch>;
}

/** One row's log-probabilities. */
export type LogProbs = Float32Array | Float64Array;

/** Calls `visit` with every row in order. `row` is a view that later rows may overwrite. */
export async function eachRow(
  { classes, batches }: Predictions,
  visit: (row: LogProbs, target: number, index: number) => void,
): Promise<void> {
  let index = 0;
  for await (const { logProbs, targets } of batches())
    for (const [n, target] of targets.entries())
      visit(logProbs.subarray(n * classes, (n + 1) * classes), target, index++);
}

/** Predictions that lie in memory as a whole. */
export const inMemory = (classes: number, logProbs: LogProbs, targets: Int32Array): Predictions => ({
  classes,
  count: targets.length,
  batches: () => [{ logProbs, targets }],
});

/** The likeliest class of a row and how sure the row is of it. */
export interface TopLabel {
  /** The first of the likeliest. */
  readonly id: number;
  /** `log c`, c the largest probability. */
  readonly logTop: number;
  /** `log (1 − c)`, exact also where `1 − exp(logTop)` would round to 0. */
  readonly logRest: number;
}

/** Below this `log c`, `1 − c` is exact enough as it is. */
const nearlyCertain = -0.01;

/** Finds the top label; rows that are normalised only to float32 are taken as they are. */
export function topLabel(row: LogProbs): TopLabel {
  let id = 0;
  let highest = row[0]!;
  for (let v = 1; v < row.length; v++)
    if (row[v]! > highest) {
      id = v;
      highest = row[v]!;
    }
  const logRest = highest < nearlyCertain ? Math.log1p(-Math.exp(highest)) : logSumOfOthers(row, id);
  return { id, logTop: Math.min(0, highest), logRest: Math.min(0, logRest) };
}

function logSumOfOthers(row: LogProbs, id: number): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (let v = 0; v < row.length; v++) if (v !== id && row[v]! > largest) largest = row[v]!;
  if (largest === Number.NEGATIVE_INFINITY) return largest;
  let sum = 0;
  for (let v = 0; v < row.length; v++) if (v !== id) sum += Math.exp(row[v]! - largest);
  return largest + Math.log(sum);
}
