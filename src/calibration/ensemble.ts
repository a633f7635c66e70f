/**
 * @file Several models' predictions of one text: what averaging them makes of the loss, how unsure they are, and their average as
 * predictions that everything else here measures. One batch is held at a time. Knows neither text nor tensors.
 */
import {
  type BlockWeights,
  blockCount,
  blockOf,
  chanceWeights,
  type Estimate,
  equalWeights,
  interval,
} from "./bootstrap.ts";
import { weighted } from "./metrics/metric.ts";
import type { LogProbs, PredictionBatch, Predictions } from "./predictions.ts";
import { normalise } from "./repairs/temperature.ts";
import { logMeanExp, meanLog, tokenUncertainty, type Uncertainty, uncertaintyNames } from "./uncertainty.ts";

/** Some tokens as every member sees them; the memory may be used again once the next batch is asked for. */
export interface EnsembleBatch {
  /** Log-probabilities of each member, `[N, V]`; −∞ is allowed. */
  readonly members: readonly LogProbs[];
  /** The same of a single model that the members are compared with, and that is not averaged; the same in every batch whether it is there. */
  readonly single?: LogProbs | undefined;
  /** The class that came true, `[N]`. */
  readonly targets: Int32Array;
}

/** Members' predictions, which can be walked over again and again, each time the same. */
export interface EnsemblePredictions {
  /** V. */
  readonly classes: number;
  /** Tokens in all. */
  readonly count: number;
  batches(): Iterable<EnsembleBatch> | AsyncIterable<EnsembleBatch>;
}

/** How members are averaged: `(1/M) Σ p_m`, or `exp((1/M) Σ log p_m) / Z`. */
export type Averaging = "probability" | "logProbability";
export const averagings = ["probability", "logProbability"] as const satisfies readonly Averaging[];

/** What averages are compared with. */
export type Rival = "single" | "bestMember" | "meanMember";

/** The NLL of an average less that of a rival, nats per token: negative is better. The interval is that of paired differences. */
export interface NllChange {
  readonly averaging: Averaging;
  readonly rival: Rival;
  readonly change: Estimate;
}

export interface EnsembleMeasurement {
  /** Tokens measured. */
  readonly count: number;
  /** Means over tokens. */
  readonly means: Uncertainty;
  /** NLL of each member, nats per token. */
  readonly memberNlls: readonly number[];
  /** NLL of the single model, where there is one. */
  readonly singleNll?: number;
  readonly changes: readonly NllChange[];
}

/** One token, as it comes. */
export interface MeasuredToken extends Uncertainty {
  readonly target: number;
  /** NLL of the single model, where there is one. */
  readonly singleNll?: number;
}

export interface EnsembleOptions {
  /** Bootstrap draws; 0 for no intervals. */
  readonly draws?: number;
  readonly seed?: number;
  readonly onToken?: (token: MeasuredToken) => void;
}

/** Sums of one figure by block. */
type Sums = Float64Array;
const createSums = (): Sums => new Float64Array(blockCount);

interface AllSums {
  readonly counts: Sums;
  readonly means: Readonly<Record<keyof Uncertainty, Sums>>;
  readonly members: Sums[];
  /** Of the single model, where there is one. */
  readonly single: Sums[];
}

function addNll(all: Sums[], which: number, block: number, logProb: number): void {
  const sums = all[which] ?? createSums();
  sums[block]! -= logProb;
  all[which] = sums;
}

/** Walks once over `predictions`. NaN where there are no tokens. */
export async function measureEnsemble(
  predictions: EnsemblePredictions,
  { draws = 200, seed = 1, onToken }: EnsembleOptions = {},
): Promise<EnsembleMeasurement> {
  const means = Object.fromEntries(uncertaintyNames.map((name) => [name, createSums()])) as AllSums["means"];
  const sums: AllSums = { counts: createSums(), means, members: [], single: [] };
  await eachToken(predictions, (rows, single, target, index) => {
    const block = blockOf(index, predictions.count);
    const uncertainty = tokenUncertainty(rows, target);
    sums.counts[block]!++;
    for (const name of uncertaintyNames) means[name][block]! += uncertainty[name];
    for (const [m, row] of rows.entries()) addNll(sums.members, m, block, row[target]!);
    if (single) addNll(sums.single, 0, block, single[target]!);
    onToken?.({ target, ...uncertainty, ...(single ? { singleNll: -single[target]! } : {}) });
  });
  return reading(sums, draws, seed);
}

/** The members' average as predictions of its own. */
export const averaged = ({ classes, count, batches }: EnsemblePredictions, averaging: Averaging): Predictions => ({
  classes,
  count,
  batches: async function* () {
    for await (const { members, targets } of batches())
      yield { logProbs: average(members, averaging, classes), targets };
  },
});

function average(members: readonly LogProbs[], averaging: Averaging, classes: number): PredictionBatch["logProbs"] {
  const of = averaging === "probability" ? logMeanExp : meanLog;
  const result = Float64Array.from({ length: members[0]!.length }, (_, i) => of(members, i)); // [N, V]
  if (averaging === "logProbability")
    for (let start = 0; start < result.length; start += classes) normalise(result.subarray(start, start + classes));
  return result;
}

async function eachToken(
  { classes, batches }: EnsemblePredictions,
  visit: (rows: readonly LogProbs[], single: LogProbs | undefined, target: number, index: number) => void,
): Promise<void> {
  let index = 0;
  for await (const { members, single, targets } of batches())
    for (const [n, target] of targets.entries()) {
      const row = (values: LogProbs): LogProbs => values.subarray(n * classes, (n + 1) * classes);
      visit(members.map(row), single && row(single), target, index++);
    }
}

function reading(
  { counts, means, members, single: [single] }: AllSums,
  draws: number,
  seed: number,
): EnsembleMeasurement {
  const count = counts.reduce((sum, each) => sum + each, 0);
  const equal = equalWeights(counts);
  const chance = chanceWeights(counts, count > 1 ? draws : 0, seed);
  const mean = (of: Sums): number => (count > 0 ? weighted(of, equal) : Number.NaN);
  const memberNlls = members.map(mean);
  const best = members[memberNlls.indexOf(Math.min(...memberNlls))];
  const rivals: readonly (readonly [Rival, Sums | undefined])[] = single
    ? [["single", single]]
    : [
        ["bestMember", best],
        ["meanMember", means.memberNll],
      ];
  const changes = rivals.flatMap(([rival, theirs]) =>
    averagings.map((averaging): NllChange => {
      const ours = means[`${averaging}Nll`];
      const change = theirs ? difference(ours, theirs, equal, chance) : notKnown;
      return { averaging, rival, change };
    }),
  );
  return {
    count,
    means: Object.fromEntries(uncertaintyNames.map((name) => [name, mean(means[name])])) as unknown as Uncertainty,
    memberNlls,
    ...(single ? { singleNll: mean(single) } : {}),
    changes,
  };
}

const notKnown: Estimate = { value: Number.NaN, lower: Number.NaN, upper: Number.NaN };

function difference(ours: Sums, theirs: Sums, equal: BlockWeights, chance: readonly BlockWeights[]): Estimate {
  const at = (weights: BlockWeights): number => weighted(ours, weights) - weighted(theirs, weights);
  return interval(at(equal), chance.map(at), [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]);
}
