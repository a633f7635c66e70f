/** @file Which output head a model has, how it is written on the command line (`softmax`, `mos:4`), and what its loss may add. */
import { z } from "zod";
import { SandboxError } from "../../engine/errors.ts";

const Softmax = z.strictObject({ kind: z.literal("softmax") });
const MixtureOfSoftmaxes = z.strictObject({
  kind: z.literal("mos"),
  mixtures: z.int().min(1).max(256).default(4).describe("number of softmaxes mixed (K)"),
});

export const HeadConfig = z.discriminatedUnion("kind", [Softmax, MixtureOfSoftmaxes]);
export type HeadConfig = z.infer<typeof HeadConfig>;
export type MixtureConfig = z.infer<typeof MixtureOfSoftmaxes>;

/** The map from features to scores that every head stands on. */
export const OutputConfig = z.strictObject({
  tied: z.boolean().default(true).describe("the output table is the token embedding; false = a table of its own"),
  bias: z.boolean().default(false).describe("adds a learned bias a token to the scores"),
});
export type OutputConfig = z.infer<typeof OutputConfig>;

/** What training adds to `−log p(target)`; evaluation never does. */
export interface LossOptions {
  /** ε: this share of each target is spread evenly over the vocabulary (Szegedy et al. 2016, arXiv 1512.00567). */
  readonly labelSmoothing: number;
  /** λ: adds `λ s²`, s the log of the softmax's sum, which keeps it near 1 (Chowdhery et al. 2022, arXiv 2204.02311). */
  readonly zLoss: number;
}

/** Which loss options each head knows. The mean of `log p` over the vocabulary, which smoothing needs, is no sum for a mixture. */
const knownOptions: { readonly [K in HeadConfig["kind"]]: readonly (keyof LossOptions)[] } = {
  softmax: ["labelSmoothing", "zLoss"],
  mos: ["zLoss"],
};

/** Loss options that are asked for and not defined for the head. */
export const undefinedOptions = (head: HeadConfig, options: LossOptions): (keyof LossOptions)[] =>
  (["labelSmoothing", "zLoss"] as const).filter((key) => options[key] > 0 && !knownOptions[head.kind].includes(key));

/** Reads the short form, e.g. `mos:8`. @throws {SandboxError} for an unknown head or a number out of range. */
export function parseHead(text: string): HeadConfig {
  const [kind, number, ...rest] = text.split(":");
  const raw = number === undefined ? { kind } : { kind, mixtures: Number(number) };
  const result = HeadConfig.safeParse(raw);
  if (rest.length || !result.success)
    throw new SandboxError(
      `head: expected softmax or mos:K with K from 1 to 256, got ${JSON.stringify(text)}`,
      "For a mixture of four softmaxes type --head mos:4.",
    );
  return result.data;
}

/** The short form of a head. */
export const headName = (head: HeadConfig): string => (head.kind === "mos" ? `mos:${head.mixtures}` : head.kind);
