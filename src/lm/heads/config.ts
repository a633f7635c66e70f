/** @file Which output head a model has, and how it is written on the command line (`softmax`, `mos:4`). */
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
