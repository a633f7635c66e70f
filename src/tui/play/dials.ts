/** @file Every setting that keys change, in one table: its name and the values that a key walks through. */
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
  | "repetition"
  | "presence"
  | "frequency"
  | "noRepeatNgram"
  | "dry"
  | "dynamicTemperature";

/** How a setting is shown and turned. */
export interface DialFacts {
  readonly name: string;
  /** For narrow windows; only the first few have one. */
  readonly short?: string;
  /** The value that changes nothing; absent: there is none, or it is no special one. */
  readonly off?: number;
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
  repetition: { name: "repetition", off: 1, steps: [1, 1.05, 1.1, 1.2, 1.3, 1.5, 2] },
  presence: { name: "presence", off: 0, steps: penalties },
  frequency: { name: "frequency", off: 0, steps: penalties },
  noRepeatNgram: { name: "no-repeat-ngram", off: 0, steps: [0, 1, 2, 3, 4, 5, 8] },
  dry: { name: "dry", off: 0, steps: [0, 0.2, 0.4, 0.8, 1.6, 3.2] },
  dynamicTemperature: { name: "dynamic-temperature", off: 0, steps: [0, 0.1, 0.2, 0.3, 0.5, 0.8] },
};
