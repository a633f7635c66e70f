/** @file The chain of filters that settings describe. A new filter is a function, a name in `settings.ts`, and one line here. */
import { atTemperature, createField, expand, type Field } from "./field.ts";
import {
  type DynamicTemperature,
  dynamicTemperature,
  epsilonCutoff,
  etaCutoff,
  type Filter,
  type FilterContext,
  minP,
  mirostat,
  temperature,
  temperatureFor,
  topK,
  topNSigma,
  topP,
  typical,
  xtc,
} from "./filters.ts";
import { dry, frequency, logitBias, noRepeatNgram, presence, repetition } from "./penalties.ts";
import type { FilterName, SamplingSettings } from "./settings.ts";

type Makers<Name extends FilterName> = Readonly<Record<Name, (settings: SamplingSettings) => Filter>>;

const dynamicOf = (s: SamplingSettings): DynamicTemperature => ({
  tau: s.temperature,
  range: s.dynamicTemperature,
  exponent: s.dynamicExponent,
});

/** Filters that know tokens by their id: they want the whole vocabulary. */
const ofIds = {
  repetition: (s) => repetition(s.repetition, s.penaltyWindow),
  presence: (s) => presence(s.presence, s.penaltyWindow),
  frequency: (s) => frequency(s.frequency, s.penaltyWindow),
  "no-repeat-ngram": (s) => noRepeatNgram(s.noRepeatNgram),
  dry: (s) => dry(s.dry, s.dryBase, s.dryAllowed),
  "logit-bias": (s) => logitBias(s.logitBias),
} satisfies Partial<Makers<FilterName>>;

/** Filters to which a token is its score, and its place among equals; they take any field. */
const ofScores: Makers<Exclude<FilterName, keyof typeof ofIds>> = {
  "top-k": (s) => topK(s.topK),
  "top-p": (s) => topP(s.topP),
  "min-p": (s) => minP(s.minP),
  typical: (s) => typical(s.typical),
  "top-n-sigma": (s) => topNSigma(s.topNSigma),
  epsilon: (s) => epsilonCutoff(s.epsilon),
  eta: (s) => etaCutoff(s.eta),
  xtc: (s) => xtc(s.xtc, s.xtcThreshold),
  mirostat: (s) => mirostat(s.mirostat, s.mirostatRate),
  temperature: (s) => dynamicTemperature(dynamicOf(s)),
};

/** One filter of a chain. */
export interface Link {
  readonly name: FilterName;
  readonly filter: Filter;
  readonly wantsIds: boolean;
}

/** The filters of `settings`, in their order. */
export const chainOf = (settings: SamplingSettings): readonly Link[] =>
  settings.order.map((name) =>
    name in ofIds
      ? { name, filter: ofIds[name as keyof typeof ofIds](settings), wantsIds: true }
      : { name, filter: ofScores[name as keyof typeof ofScores](settings), wantsIds: false },
  );

/** Applies filters in order to a whole vocabulary. A chain that changes nothing gives back the field it was given. */
export const applyChain = (whole: Field, chain: readonly Link[], context?: FilterContext): Field =>
  chain.reduce((field, { filter, wantsIds }) => {
    if (!wantsIds || !field.ids) return filter(field, context);
    const expanded = createField(expand(field, whole.scores.length));
    const changed = filter(expanded, context);
    return changed === expanded ? field : changed;
  }, whole);

/** The field at the settings' temperature; where it is above 0, without a pass over the scores. */
export function temper(field: Field, settings: SamplingSettings): Field {
  const tau = temperatureFor(dynamicOf(settings), field);
  if (tau === 1) return field;
  if (Number.isFinite(1 / tau)) return atTemperature(field, 1 / tau);
  return temperature(tau)(field);
}
