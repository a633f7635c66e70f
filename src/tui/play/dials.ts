/** @file Every setting that keys change, in one table: its name and the values that a key walks through. */
import { type FilterName, filterNames, flagName } from "../../sampling/settings.ts";
import type { Settings } from "./port.ts";

/** Settings that are one number. */
export type NumberSetting =
  | "temperature"
  | "topK"
  | "topP"
  | "minP"
  | "typical"
  | "topNSigma"
  | "epsilon"
  | "eta"
  | "xtc"
  | "xtcThreshold"
  | "mirostat"
  | "mirostatRate"
  | "repetition"
  | "presence"
  | "frequency"
  | "penaltyWindow"
  | "noRepeatNgram"
  | "dry"
  | "dryBase"
  | "dryAllowed"
  | "dynamicTemperature"
  | "dynamicExponent";

/** How a setting is shown and turned. */
export interface DialFacts {
  readonly name: string;
  /** For narrow windows; only the first few have one. */
  readonly short?: string;
  /** The value that changes nothing; absent: there is none, or it is no special one. */
  readonly off?: number;
  /** What that value is called, where it is not "off". */
  readonly offName?: string;
  /** The filter that it is a part of, where its name is not that filter's. */
  readonly partOf?: FilterName;
  /** Rising; or the width of even steps. Infinity at the end stands for a value of `off` that is 0. */
  readonly steps: readonly number[] | number;
}

const shares = [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98, 0.99, 1];
const penalties = [-1, -0.5, 0, 0.1, 0.2, 0.5, 1, 2];
const small = [0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5];

/** In the order of the page of settings. */
export const dialTable: Readonly<Record<NumberSetting & keyof Settings, DialFacts>> = {
  temperature: { name: "temperature", short: "T", steps: 0.05 },
  topK: { name: "top-k", short: "k", off: 0, steps: [1, 2, 3, 5, 10, 20, 40, 50, 100, 200, Number.POSITIVE_INFINITY] },
  topP: { name: "top-p", short: "p", off: 1, steps: shares },
  minP: { name: "min-p", short: "m", off: 0, steps: small },
  typical: { name: "typical", off: 1, steps: shares },
  topNSigma: { name: "top-n-sigma", off: 0, steps: [0, 0.5, 1, 1.5, 2, 3, 5] },
  epsilon: { name: "epsilon", off: 0, steps: small },
  eta: { name: "eta", off: 0, steps: small },
  xtc: { name: "xtc", off: 0, steps: [0, 0.1, 0.25, 0.5, 0.75, 1] },
  xtcThreshold: { name: "xtc-threshold", partOf: "xtc", steps: [0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5] },
  mirostat: { name: "mirostat", off: 0, steps: [0, 1, 2, 3, 4, 5, 6, 8, 10] },
  mirostatRate: { name: "mirostat-rate", partOf: "mirostat", steps: [0, 0.02, 0.05, 0.1, 0.2, 0.5, 1] },
  repetition: { name: "repetition", off: 1, steps: [1, 1.05, 1.1, 1.2, 1.3, 1.5, 2] },
  presence: { name: "presence", off: 0, steps: penalties },
  frequency: { name: "frequency", off: 0, steps: penalties },
  penaltyWindow: {
    name: "penalty-window",
    off: 0,
    offName: "all",
    steps: [8, 16, 32, 64, 128, 256, Number.POSITIVE_INFINITY],
  },
  noRepeatNgram: { name: "no-repeat-ngram", off: 0, steps: [0, 1, 2, 3, 4, 5, 8] },
  dry: { name: "dry", off: 0, steps: [0, 0.2, 0.4, 0.8, 1.6, 3.2] },
  dryBase: { name: "dry-base", partOf: "dry", steps: [1, 1.25, 1.5, 1.75, 2, 2.5, 3, 4] },
  dryAllowed: { name: "dry-allowed", partOf: "dry", steps: [1, 2, 3, 4, 5, 6, 8] },
  dynamicTemperature: {
    name: "dynamic-temperature",
    partOf: "temperature",
    off: 0,
    steps: [0, 0.1, 0.2, 0.3, 0.5, 0.8],
  },
  dynamicExponent: { name: "dynamic-exponent", partOf: "temperature", steps: [0.25, 0.5, 1, 1.5, 2, 3] },
};

/** The filter that a dial turns; undefined for one that several share. */
export const filterOf = (dial: NumberSetting): FilterName | undefined =>
  dialTable[dial].partOf ?? filterNames.find((name) => name === flagName(dial));
