/** @file The trials of a comparison: one recipe with several output heads, matched in parameters or in training time. */
import { join } from "node:path";
import { parseModelConfig } from "../lm/config.ts";
import type { HeadConfig } from "../lm/heads/config.ts";
import { headName } from "../lm/heads/shortForm.ts";
import { countParametersOf } from "../lm/parameterCount.ts";
import { parseRunConfig, type RunConfig } from "./config.ts";
import { matchParameters } from "./matching.ts";
import { fileName, type Trial } from "./trials.ts";

/** One head's configuration, before seeds. */
export interface HeadVariant {
  readonly head: HeadConfig;
  readonly config: RunConfig;
  readonly parameters: number;
  /** What was changed to match it, in words. */
  readonly how?: string;
}

/**
 * One variant a head.
 *
 * @param matched - whether to set the layers' width of all but the first so that parameters agree.
 * @throws {SandboxError} if a head does not fit the vocabulary or the loss, or cannot be matched.
 */
export function headVariants(
  base: RunConfig,
  heads: readonly HeadConfig[],
  vocabSize: number,
  matched: boolean,
): HeadVariant[] {
  const variants = heads.map((head): HeadVariant => {
    const config = parseRunConfig(`configuration with the head ${headName(head)}`, {
      ...base,
      model: { ...base.model, head },
    });
    return { head, config, parameters: countParametersOf(parseModelConfig({ ...config.model, vocabSize })) };
  });
  if (!matched) return variants;
  const target = variants[0]!.parameters;
  return variants.map((variant) => {
    if (variant.parameters === target) return variant;
    const { model, parameters, how } = matchParameters(variant.config.model, vocabSize, target);
    return { ...variant, config: { ...variant.config, model }, parameters, how };
  });
}

/**
 * The variant with its steps, and all that is counted in steps, times `ratio`: the whole schedule in another time.
 *
 * @param ratio - milliseconds a step of the first variant over those of this one.
 */
export function stretched(variant: HeadVariant, ratio: number): HeadVariant {
  const { training } = variant.config;
  const scaled = (steps: number): number => Math.max(1, Math.round(steps * ratio));
  const { schedule } = training;
  const config: RunConfig = {
    ...variant.config,
    training: {
      ...training,
      steps: scaled(training.steps),
      evaluateEvery: training.evaluateEvery && scaled(training.evaluateEvery),
      checkpointEvery: training.checkpointEvery && scaled(training.checkpointEvery),
      schedule: {
        ...schedule,
        warmupSteps: schedule.warmupSteps && scaled(schedule.warmupSteps),
        decaySteps: scaled(schedule.decaySteps),
      },
    },
  };
  return { ...variant, config, how: [variant.how, `${config.training.steps} steps`].filter(Boolean).join(", ") };
}

/** Every variant with every seed; all variants of a seed before the next seed, so that a comparison cut short is whole. */
export function trialsOf(study: string, variants: readonly HeadVariant[], seeds: readonly number[]): Trial[] {
  return seeds.flatMap((seed) =>
    variants.map(({ head, config }): Trial => {
      const name = `${fileName(headName(head))}-seed-${seed}`;
      return { name, folder: join(study, name), config: { ...config, seed } };
    }),
  );
}

/** Steps of a trial that only tells how long a step takes, and how many of the first are not counted. */
const [speedSteps, warmingSteps] = [30, 5];

/** Short trials, one a variant, whose steps are timed. */
export const speedTrials = (study: string, variants: readonly HeadVariant[]): Trial[] =>
  variants.map(({ head, config }): Trial => {
    const name = `speed-${fileName(headName(head))}`;
    const training = { ...config.training, steps: speedSteps, evaluateEvery: 0, evaluationTokens: 1 };
    const quiet = { probes: [], sample: { ...config.sample, tokens: 0 } };
    return { name, folder: join(study, "speed", name), config: { ...config, ...quiet, training } };
  });

/** Milliseconds that a step takes at best, once it runs warm: the machine's other work only ever adds. */
export const speedOf = (milliseconds: readonly number[]): number => Math.min(...milliseconds.slice(warmingSteps));
