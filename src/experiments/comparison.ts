/**
 * @file Runs side by side: those that differ in nothing but the seed are one variant, with mean and spread; each variant is set
 * against the first one, seed by seed.
 */
import { SandboxError } from "../engine/errors.ts";
import { headName } from "../lm/heads/shortForm.ts";
import type { RunConfig } from "./config.ts";
import { type Change, configChanges, shownValue } from "./configDiff.ts";
import { type Measure, measures, natsAt, type RunOutcome } from "./outcome.ts";
import {
  type BySeed,
  type Difference,
  deviationOf,
  differenceOf,
  meanOf,
  type Verdict,
  verdictOf,
} from "./statistics.ts";

/** Mean and sample standard deviation over seeds; the latter is absent for one seed. */
export interface Figure {
  readonly mean: number;
  readonly deviation?: number;
}

export interface Variant {
  /** What sets it apart: its head, or the keys that differ. */
  readonly label: string;
  /** In what it differs from the first variant besides its head and what its label says. */
  readonly others: readonly Change[];
  readonly seeds: readonly number[];
  readonly runs: readonly RunOutcome[];
  readonly parameters: number;
  readonly step: number;
  readonly tokens: Figure;
  readonly seconds: Figure;
  readonly millisecondsPerStep: Figure;
  readonly peakMiB?: Figure;
  readonly nats: Figure;
  readonly perplexity: Figure;
  readonly bitsPerByte: Figure;
  /** Validation loss where all runs stood at as many steps, tokens and seconds as the one that came least far. */
  readonly at: { readonly [M in Measure]?: Figure };
  /** Against the first variant; absent there. */
  readonly difference?: Difference & { readonly verdict: Verdict };
}

export interface Comparison {
  readonly variants: readonly Variant[];
  /** Where the curves are lined up, by measure: the furthest point that every run reached. */
  readonly common: Readonly<Record<Measure, number>>;
  /** What makes figures not comparable. */
  readonly cautions: readonly string[];
}

/** Keys that change nothing a comparison is about. */
const asideKeys = /^(seed|description|probes|sample\..*|training\.(keepCheckpoints|checkpointEvery))$/;

/** Groups runs in the order in which they are named; the first group is what the others are compared with. */
export function compareRuns(outcomes: readonly RunOutcome[]): Comparison {
  const groups: RunOutcome[][] = [];
  for (const outcome of outcomes) {
    const group = groups.find(([first]) => isSameVariant(first!.config, outcome.config));
    if (group) group.push(outcome);
    else groups.push([outcome]);
  }
  for (const group of groups) expectDistinctSeeds(group);
  const common = commonPoints(outcomes);
  const labels = labelsOf(groups);
  const base = bySeed(groups[0]!);
  const variants = groups.map((group, i) => ({
    label: labels[i]!,
    others: othersOf(groups[0]![0]!.config, group[0]!.config, labels[i]!),
    ...figuresOf(group, common, i === 0 ? undefined : base),
  }));
  return { variants, common, cautions: cautionsOf(outcomes) };
}

const changesThatCount = (a: RunConfig, b: RunConfig) =>
  configChanges(a, b).filter(({ path }) => !asideKeys.test(path));
const isSameVariant = (a: RunConfig, b: RunConfig): boolean => changesThatCount(a, b).length === 0;
const bySeed = (group: readonly RunOutcome[]): BySeed => new Map(group.map(({ config, nats }) => [config.seed, nats]));

function expectDistinctSeeds(group: readonly RunOutcome[]): void {
  const twin = group.find(({ config }, i) => group.findIndex((other) => other.config.seed === config.seed) < i);
  if (twin === undefined) return;
  const { folder } = group.find(({ config }) => config.seed === twin.config.seed)!;
  throw new SandboxError(
    `compare: ${folder} and ${twin.folder} are the same configuration with the same seed`,
    "Name one of them; runs of other seeds tell how large the spread is.",
  );
}

function commonPoints(outcomes: readonly RunOutcome[]): Record<Measure, number> {
  const least = (measure: Measure): number => Math.min(...outcomes.map((outcome) => outcome[measure]));
  return { step: least("step"), tokens: least("tokens"), seconds: least("seconds") };
}

const figureOf = (values: readonly number[]): Figure => {
  const deviation = deviationOf(values);
  return { mean: meanOf(values), ...(deviation !== undefined && { deviation }) };
};

/** Differences that a label does not tell. */
const othersOf = (first: RunConfig, config: RunConfig, label: string): Change[] =>
  changesThatCount(first, config).filter(
    ({ path, after }) => path !== "model.head" && !label.includes(shownValue(path, after)),
  );

function figuresOf(
  runs: readonly RunOutcome[],
  common: Readonly<Record<Measure, number>>,
  base: BySeed | undefined,
): Omit<Variant, "label" | "others"> {
  const of = (read: (run: RunOutcome) => number): Figure => figureOf(runs.map(read));
  const peaks = runs.flatMap(({ peakMiB }) => peakMiB ?? []);
  const difference = base && differenceOf(bySeed(runs), base);
  const at = measures.map((measure) => {
    const values = runs.flatMap(({ curve }) => natsAt(curve, measure, common[measure]) ?? []);
    return [measure, values.length === runs.length ? figureOf(values) : undefined] as const;
  });
  return {
    seeds: runs.map(({ config }) => config.seed),
    runs,
    parameters: runs[0]!.parameters,
    step: runs[0]!.step,
    tokens: of(({ tokens }) => tokens),
    seconds: of(({ seconds }) => seconds),
    millisecondsPerStep: of(({ millisecondsPerStep }) => millisecondsPerStep),
    ...(peaks.length > 0 && { peakMiB: figureOf(peaks) }),
    nats: of(({ nats }) => nats),
    perplexity: of(({ perplexity }) => perplexity),
    bitsPerByte: of(({ bitsPerByte }) => bitsPerByte),
    at: Object.fromEntries(at.filter(([, figure]) => figure !== undefined)),
    ...(difference && { difference: { ...difference, verdict: verdictOf(difference) } }),
  };
}

const longestLabel = 28;

/** Heads where they tell all apart; else every key that differs; else the runs' names. */
function labelsOf(groups: readonly (readonly RunOutcome[])[]): string[] {
  const configs = groups.map(([first]) => first!.config);
  const heads = configs.map(({ model }) => headName(model.head));
  if (groups.length === 1 || isDistinct(heads)) return heads;
  const paths = new Set(configs.flatMap((config) => changesThatCount(configs[0]!, config).map(({ path }) => path)));
  const labels = configs.map((config) => {
    const parts = [...paths].map((path) => [path, shownValue(path, valueAt(config, path))] as const);
    return parts
      .map(([path, value]) => (path === "model.head" ? value : `${path.split(".").at(-1)} ${value}`))
      .join(", ");
  });
  if (isDistinct(labels) && labels.every(({ length }) => length <= longestLabel)) return labels;
  return groups.map(([first]) => first!.name);
}

const isDistinct = (labels: readonly string[]): boolean => new Set(labels).size === labels.length;
const valueAt = (config: object, path: string): unknown =>
  path.split(".").reduce<unknown>((node, key) => (node as Record<string, unknown> | undefined)?.[key], config);

/** What must be equal for figures to be compared, and what is not comparable where it differs. */
function cautionsOf(outcomes: readonly RunOutcome[]): string[] {
  const differs = (read: (run: RunOutcome) => unknown): boolean =>
    new Set(outcomes.map((run) => JSON.stringify(read(run)))).size > 1;
  const splits = ({ config }: RunOutcome) => [config.splits, config.training.evaluationTokens];
  return [
    ...(differs(({ corpus }) => corpus) ? ["these runs read different texts: no figure of quality is comparable"] : []),
    ...(differs(splits) ? ["these runs were validated on different parts of the text"] : []),
    ...(differs(({ tokenizer }) => tokenizer)
      ? ["these runs have different tokenizers: of the figures of quality compare bits per byte alone"]
      : []),
    ...(differs(({ machine }) => machine)
      ? ["these runs were made on different engines or machines: times differ for that"]
      : []),
    ...(differs(({ config }) => config.precision) ? ["these runs were trained in different precisions"] : []),
  ];
}
