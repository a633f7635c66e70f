/** @file Which output head a model has, what its output layer is, and what its loss may add. */
import { z } from "zod";
import { SandboxError } from "../../engine/errors.ts";

const mixtures = z.int().min(1).max(256).default(4).describe("components that are mixed (K)");

const Softmax = z.strictObject({ kind: z.literal("softmax") });
const SigSoftmax = z.strictObject({ kind: z.literal("sigsoftmax") });
const Sigmoid = z.strictObject({ kind: z.literal("sigmoid") });
const MixtureOfSoftmaxes = z.strictObject({ kind: z.literal("mos"), mixtures });
const MixtureOfContexts = z.strictObject({ kind: z.literal("moc"), mixtures });
const Adaptive = z.strictObject({
  kind: z.literal("adaptive"),
  cutoffs: z
    .array(z.int().positive())
    .min(1)
    .max(16)
    .refine((all) => all.every((cutoff, i) => i === 0 || cutoff > all[i - 1]!), "must rise")
    .default([2000, 10_000])
    .describe(
      "ids below the first are the short list, each further one ends a cluster; the last goes to the vocabulary's end",
    ),
});

export const HeadConfig = z.discriminatedUnion("kind", [
  Softmax,
  MixtureOfSoftmaxes,
  MixtureOfContexts,
  SigSoftmax,
  Adaptive,
  Sigmoid,
]);
export type HeadConfig = z.infer<typeof HeadConfig>;
/** A head that mixes K components. */
export type MixtureConfig = z.infer<typeof MixtureOfSoftmaxes> | z.infer<typeof MixtureOfContexts>;
export type AdaptiveConfig = z.infer<typeof Adaptive>;

/** The map from features to scores that every head stands on. */
export const OutputConfig = z.strictObject({
  tied: z.boolean().default(true).describe("the output table is the token embedding; false = a table of its own"),
  bias: z.boolean().default(false).describe("adds a learned bias a token to the scores"),
  softcap: z
    .number()
    .min(0)
    .max(1000)
    .default(0)
    .describe("c: scores become c·tanh(z/c), so they stay within ±c; 0 = off, 30 is usual"),
  scale: z
    .number()
    .positive()
    .max(1000)
    .default(1)
    .describe("s: features are multiplied by it before they meet the table; 3 to 5 helps a table that starts small"),
});
export type OutputConfig = z.infer<typeof OutputConfig>;

/** What training adds to `−log p(target)`; evaluation never does. */
export interface LossOptions {
  /** ε: this share of each target is spread evenly over the vocabulary (Szegedy et al. 2016, arXiv 1512.00567). */
  readonly labelSmoothing: number;
  /** λ: adds `λ s²`, s the log of the softmax's sum, which keeps it near 1 (Chowdhery et al. 2022, arXiv 2204.02311). */
  readonly zLoss: number;
}

/**
 * Which loss options each head knows. Smoothing needs the mean of `log p` over the vocabulary, which for a mixture is no sum
 * of parts and for clusters would visit them all; independent sigmoids have no normaliser and no target to share out.
 */
const knownOptions: { readonly [K in HeadConfig["kind"]]: readonly (keyof LossOptions)[] } = {
  softmax: ["labelSmoothing", "zLoss"],
  mos: ["zLoss"],
  moc: ["labelSmoothing", "zLoss"],
  sigsoftmax: ["labelSmoothing", "zLoss"],
  adaptive: ["zLoss"],
  sigmoid: [],
};

/** Loss options that are asked for and not defined for the head. */
export const undefinedOptions = (head: HeadConfig, options: LossOptions): (keyof LossOptions)[] =>
  (["labelSmoothing", "zLoss"] as const).filter((key) => options[key] > 0 && !knownOptions[head.kind].includes(key));

/** @throws {SandboxError} if a cluster would begin where the vocabulary has ended. */
export function expectFittingCutoffs(cutoffs: readonly number[], V: number): void {
  if (cutoffs.at(-1)! < V) return;
  throw new SandboxError(
    `model.head.cutoffs: each must lie below the vocabulary's size ${V}, got ${cutoffs.join(", ")}`,
    `For two clusters type for example --head adaptive:${Math.max(1, Math.floor(V / 8))},${Math.max(2, Math.floor(V / 2))}.`,
  );
}
