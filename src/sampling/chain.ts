/** @file The chain of filters that settings describe. A new filter is a function, a name in `settings.ts`, and one line here. */
import {
  dynamicTemperature,
  epsilonCutoff,
  etaCutoff,
  type Filter,
  type FilterContext,
  minP,
  mirostat,
  topK,
  topNSigma,
  topP,
  typical,
  xtc,
} from "./filters.ts";
import { dry, frequency, logitBias, noRepeatNgram, presence, repetition } from "./penalties.ts";
import type { Scores } from "./scores.ts";
import type { FilterName, SamplingSettings } from "./settings.ts";

const makers: Readonly<Record<FilterName, (settings: SamplingSettings) => Filter>> = {
  repetition: (s) => repetition(s.repetition, s.penaltyWindow),
  presence: (s) => presence(s.presence, s.penaltyWindow),
  frequency: (s) => frequency(s.frequency, s.penaltyWindow),
  "no-repeat-ngram": (s) => noRepeatNgram(s.noRepeatNgram),
  dry: (s) => dry(s.dry, s.dryBase, s.dryAllowed),
  "logit-bias": (s) => logitBias(s.logitBias),
  "top-k": (s) => topK(s.topK),
  "top-p": (s) => topP(s.topP),
  "min-p": (s) => minP(s.minP),
  typical: (s) => typical(s.typical),
  "top-n-sigma": (s) => topNSigma(s.topNSigma),
  epsilon: (s) => epsilonCutoff(s.epsilon),
  eta: (s) => etaCutoff(s.eta),
  xtc: (s) => xtc(s.xtc, s.xtcThreshold),
  mirostat: (s) => mirostat(s.mirostat, s.mirostatRate),
  temperature: (s) => dynamicTemperature(s.temperature, s.dynamicTemperature, s.dynamicExponent),
};

/** The filters of `settings`, in their order. */
export const chainOf = (settings: SamplingSettings): readonly Filter[] =>
  settings.order.map((name) => makers[name](settings));

/** Applies filters in order. */
export const applyChain = (scores: Scores, chain: readonly Filter[], context?: FilterContext): Scores =>
  chain.reduce((current, filter) => filter(current, context), scores);
