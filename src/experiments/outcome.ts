/** @file What a run has come to, read from its folder alone: how good, how large, how long. */
import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { z } from "zod";
import { SandboxError } from "../engine/errors.ts";
import { parseModelConfig } from "../lm/config.ts";
import { countParametersOf } from "../lm/parameterCount.ts";
import { tokenizerFromJson } from "../text/tokenizer.ts";
import type { EvaluationEvent } from "../training/events.ts";
import type { RunConfig } from "./config.ts";
import { readLines } from "./jsonLines.ts";
import { readRunConfig, readRunFile } from "./runFolder.ts";
import { medianOf } from "./statistics.ts";

/** A point of a run's validation curve. */
export interface CurvePoint {
  readonly step: number;
  /** Tokens learned from so far. */
  readonly tokens: number;
  /** Time of the steps so far, in seconds; evaluations and checkpoints are not counted. */
  readonly seconds: number;
  /** Validation loss, nats per token. */
  readonly nats: number;
}

/** A run's figures. */
export interface RunOutcome {
  readonly name: string;
  readonly folder: string;
  readonly config: RunConfig;
  readonly parameters: number;
  /** At the last evaluation; so are all figures of quality. */
  readonly step: number;
  readonly tokens: number;
  readonly seconds: number;
  /** Median of all steps. */
  readonly millisecondsPerStep: number;
  /** Most memory that the process held, MiB; absent in runs of older versions. */
  readonly peakMiB?: number;
  readonly nats: number;
  readonly perplexity: number;
  readonly bitsPerByte: number;
  /** Tokens of the validation split that were predicted. */
  readonly evaluatedTokens: number;
  /** Lowest on the way, nats per token. */
  readonly bestNats: number;
  readonly curve: readonly CurvePoint[];
  /** Hashes of the text and of the tokenizer. */
  readonly corpus: string;
  readonly tokenizer: string;
  /** Engine and processor: what times depend on. */
  readonly machine: string;
}

interface Timing {
  readonly step: number;
  readonly tokens: number;
  readonly milliseconds: number;
  readonly peakMiB?: number;
}

const Environment = z.object({
  engine: z.string().default("unknown engine"),
  processor: z.string().default("unknown processor"),
  corpus: z.object({ sha256: z.string() }),
});

/** @throws {SandboxError} if there is no such run, it is damaged, or it has never been evaluated. */
export function readOutcome(folder: string): RunOutcome {
  const config = readRunConfig(folder);
  const evaluations = linesOf<EvaluationEvent>(folder, "metrics.jsonl").filter(({ type }) => type === "evaluation");
  const last = evaluations.at(-1);
  if (last === undefined)
    throw new SandboxError(
      `run ${folder}: it has not been evaluated yet`,
      `Train it on: softbox train --resume ${folder}`,
    );
  const timings = linesOf<Timing>(folder, "timings.jsonl").filter(({ step }) => step <= last.step);
  const tokenizer = tokenizerFromJson(readRunFile(folder, "tokenizer.json"));
  const environment = Environment.safeParse(readRunFile(folder, "environment.json"));
  const { engine, processor, corpus } = environment.data ?? { engine: "?", processor: "?", corpus: { sha256: "?" } };
  const curve = curveOf(evaluations, timings);
  const { tokens, seconds } = curve.at(-1)!;
  const peaks = timings.flatMap(({ peakMiB }) => peakMiB ?? []);
  return {
    name: basename(folder),
    folder,
    config,
    parameters: countParametersOf(parseModelConfig({ ...config.model, vocabSize: tokenizer.vocabSize })),
    ...{ step: last.step, tokens, seconds },
    millisecondsPerStep: medianOf(timings.map(({ milliseconds }) => milliseconds)),
    ...(peaks.length > 0 && { peakMiB: peaks.reduce((a, b) => Math.max(a, b)) }),
    ...{ nats: last.nats, perplexity: last.perplexity, bitsPerByte: last.bitsPerByte, evaluatedTokens: last.tokens },
    bestNats: Math.min(...evaluations.map(({ nats }) => nats)),
    curve,
    ...{ corpus: corpus.sha256, tokenizer: tokenizer.hash, machine: `${engine}, ${processor}` },
  };
}

/** Whether there is something to read an outcome from. */
export const hasOutcome = (folder: string): boolean =>
  existsSync(join(folder, "config.json")) &&
  linesOf<EvaluationEvent>(folder, "metrics.jsonl").some(({ type }) => type === "evaluation");

const linesOf = <T extends { readonly step: number }>(folder: string, file: string): T[] =>
  readLines<T>(join(folder, file));

function curveOf(evaluations: readonly EvaluationEvent[], timings: readonly Timing[]): CurvePoint[] {
  let [at, tokens, milliseconds] = [0, 0, 0];
  return evaluations.map(({ step, nats }) => {
    for (; at < timings.length && timings[at]!.step <= step; at++) {
      tokens += timings[at]!.tokens;
      milliseconds += timings[at]!.milliseconds;
    }
    return { step, tokens, seconds: milliseconds / 1000, nats };
  });
}

/** The measures that runs can be lined up by. */
export const measures = ["step", "tokens", "seconds"] as const;
export type Measure = (typeof measures)[number];

/** Validation loss where a run's curve crosses `value` of a measure, by straight lines between evaluations; undefined outside. */
export function natsAt(curve: readonly CurvePoint[], measure: Measure, value: number): number | undefined {
  const after = curve.findIndex((point) => point[measure] >= value);
  if (after < 0) return undefined;
  const [left, right] = [curve[after - 1], curve[after]!];
  if (right[measure] === value) return right.nats;
  if (left === undefined) return undefined;
  const share = (value - left[measure]) / (right[measure] - left[measure]);
  return left.nats + share * (right.nats - left.nats);
}
