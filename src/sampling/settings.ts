/** @file What a user may set when sampling: names, ranges, defaults, and the order of the filters. */
import { z } from "zod";
import { SandboxError } from "../engine/errors.ts";
import { describeIssues } from "../engine/issues.ts";
import { didYouMean } from "../engine/nearest.ts";

/** Every filter there is, in the order in which they are applied unless told otherwise. */
export const filterNames = [
  "repetition",
  "presence",
  "frequency",
  "no-repeat-ngram",
  "dry",
  "logit-bias",
  "top-k",
  "top-p",
  "min-p",
  "typical",
  "top-n-sigma",
  "epsilon",
  "eta",
  "xtc",
  "mirostat",
  "temperature",
] as const;
export type FilterName = (typeof filterNames)[number];

const share = () => z.number().min(0).max(1);

export const SamplingSettings = z.strictObject({
  temperature: z
    .number()
    .min(0)
    .max(1000)
    .default(1)
    .describe("divides log-probabilities: below 1 sharpens, above 1 flattens, 0 always takes the likeliest"),
  topK: z.int().min(0).default(0).describe("keep the K likeliest tokens; 0 = off"),
  topP: z
    .number()
    .gt(0)
    .max(1)
    .default(1)
    .describe("keep the fewest tokens that together reach this probability; 1 = off"),
  minP: share().default(0).describe("keep tokens at least this share as likely as the likeliest; 0 = off"),
  repetition: z
    .number()
    .gt(0)
    .max(10)
    .default(1)
    .describe("power that log-probabilities of repeated tokens are raised by; 1 = off"),
  presence: z.number().min(-100).max(100).default(0).describe("nats taken from tokens that came before; 0 = off"),
  frequency: z
    .number()
    .min(-100)
    .max(100)
    .default(0)
    .describe("nats taken from a token for each time it came; 0 = off"),
  penaltyWindow: z.int().min(0).default(0).describe("tokens that these three look back over; 0 = all"),
  noRepeatNgram: z.int().min(0).default(0).describe("no sequence of N tokens twice; 0 = off"),
  dry: z.number().min(0).max(100).default(0).describe("nats taken from what would go on with a repetition; 0 = off"),
  dryBase: z.number().min(1).max(10).default(1.75).describe("growth of that for each token of the repetition"),
  dryAllowed: z.int().min(1).default(2).describe("shortest repetition that it minds, in tokens"),
  logitBias: z
    .record(z.string().regex(/^\d+$/), z.number().min(-100).max(100))
    .default({})
    .describe("nats added to tokens, by id"),
  typical: z
    .number()
    .gt(0)
    .max(1)
    .default(1)
    .describe("keep the most typical tokens that together reach this probability; 1 = off"),
  topNSigma: z
    .number()
    .min(0)
    .max(100)
    .default(0)
    .describe("keep tokens this many standard deviations from the best; 0 = off"),
  epsilon: share().default(0).describe("keep tokens of this probability or more; 0 = off"),
  eta: share().default(0).describe("the same, with a floor that falls with the entropy; 0 = off"),
  xtc: share().default(0).describe("chance to leave out all but the least likely of the likely tokens; 0 = off"),
  xtcThreshold: share().default(0.1).describe("probability from which on a token is likely to xtc"),
  mirostat: z
    .number()
    .min(0)
    .max(100)
    .default(0)
    .describe("surprise a token that the text shall settle at, bits; 0 = off"),
  mirostatRate: share().default(0.1).describe("how fast mirostat learns"),
  dynamicTemperature: z
    .number()
    .min(0)
    .max(1000)
    .default(0)
    .describe("how far the temperature moves with the entropy; 0 = off"),
  dynamicExponent: z.number().gt(0).max(10).default(1).describe("power of the entropy's share in that"),
  seed: z.int().min(0).default(1).describe("fixes the text"),
  order: z
    .array(z.enum(filterNames))
    .refine((names) => new Set(names).size === names.length, "must name each filter once")
    .default([...filterNames])
    .describe("the filters that are applied, first to last"),
});
export type SamplingSettings = z.infer<typeof SamplingSettings>;

/** A setting's name on the command line: `topNSigma` is `top-n-sigma`. */
export const flagName = (key: string): string => key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** Every setting that is one number, by its name on the command line. */
export const settingKeys: ReadonlyMap<string, keyof SamplingSettings> = new Map(
  Object.keys(SamplingSettings.shape)
    .filter((key) => key !== "order" && key !== "logitBias")
    .map((key) => [flagName(key), key as keyof SamplingSettings]),
);

/** Reads settings. @throws {SandboxError} naming every one that is out of range, as the command line calls it. */
export function parseSamplingSettings(raw: unknown): SamplingSettings {
  const result = SamplingSettings.safeParse(raw);
  if (result.success) return result.data;
  const lines = describeIssues(result.error, raw).replace(/^ {2}\w+/gm, flagName);
  throw new SandboxError(
    `sampling:\n${lines}`,
    "temperature >= 0 · top-k a whole number >= 0 · top-p in (0, 1] · min-p in [0, 1] · seed a whole number >= 0",
  );
}

/**
 * Reads `min-p=0.05,temperature=0.8`: values, and the order in which these filters, and no others, are applied.
 *
 * @throws {SandboxError} for a name that there is not, or a value that is no number; ranges are checked by the settings.
 */
export function parseFilters(text: string): { [key: string]: unknown; order: FilterName[] } {
  const values: Record<string, number> = {};
  const order: FilterName[] = [];
  for (const part of text.split(",").map((piece) => piece.trim())) {
    const [name = "", value, ...rest] = part.split("=").map((piece) => piece.trim());
    const filter = filterNames.find((known) => known === name);
    const isPlace = name === "logit-bias" && value === undefined; // its values come from a flag of its own
    const key = isPlace ? undefined : keyOfFilter(name);
    if (key && (rest.length || !value || !Number.isFinite(Number(value))))
      throw new SandboxError(`--filters: expected ${name}=number, got ${JSON.stringify(part)}`, filterHint());
    if (key) values[key] = Number(value);
    if (filter) order.push(filter);
  }
  return { ...values, order };
}

/** @throws {SandboxError} if no setting of `--filters` is called so. */
function keyOfFilter(name: string): keyof SamplingSettings {
  const key = name === "seed" ? undefined : settingKeys.get(name);
  if (key) return key;
  throw new SandboxError(
    name === "logit-bias"
      ? "--filters: logit-bias stands for its place alone, without a number"
      : `--filters: there is no filter ${JSON.stringify(name)}`,
    `${didYouMean(name, [...settingKeys.keys()])}${filterHint()}`,
  );
}

const filterHint = (): string => {
  const names = [...settingKeys.keys()].filter((known) => known !== "seed");
  return `Names: ${names.join(", ")}. For example --filters "min-p=0.05,temperature=0.8".`;
};
