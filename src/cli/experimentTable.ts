/** @file The bottleneck experiment as a table: a line a model, mean and spread over seeds. */
import { contestants, type ExperimentResult, setting } from "../experiments/bottleneckExperiment.ts";

export const contestantName = ({ head, layers }: { readonly head: string; readonly layers: number }): string =>
  layers === 1 ? head : `${head}, ${layers} layers`;

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** Half the way from the lowest to the highest: what seeds alone make of a figure. */
const spread = (values: readonly number[]): number => (Math.max(...values) - Math.min(...values)) / 2;

export function experimentTable(results: readonly ExperimentResult[]): string[] {
  const { symbols, modes, embedSize } = setting;
  const seeds = new Set(results.map(({ seed }) => seed)).size;
  const title = ["parameters".padStart(11), "KL to truth".padStart(18), "rank".padStart(7), "seconds".padStart(10)];
  return [
    `source: ${symbols} symbols, log-probabilities of rank ${modes + 1}`,
    `models: ${embedSize} features a token, so a softmax has rank ${embedSize + 1} at most`,
    "",
    `${"head".padEnd(20)}${title.join("")}`,
    ...contestants.map((contestant) => tableLine(contestantName(contestant), results)),
    "",
    `KL(truth ‖ model) in nats, mean ± half the range of ${seeds} seed${seeds === 1 ? "" : "s"}`,
  ];
}

function tableLine(name: string, results: readonly ExperimentResult[]): string {
  const own = results.filter((result) => contestantName(result) === name);
  const divergences = own.map((result) => result.divergence);
  const ranks = own.map((result) => result.rank);
  const seconds = mean(own.map((result) => result.seconds));
  return [
    name.padEnd(20),
    String(own[0]!.parameters).padStart(11),
    `${mean(divergences).toFixed(4)} ± ${spread(divergences).toFixed(4)}`.padStart(18),
    [...new Set([Math.min(...ranks), Math.max(...ranks)])].join("–").padStart(7),
    seconds.toFixed(1).padStart(10),
  ].join("");
}
