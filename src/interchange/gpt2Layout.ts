/** @file What a model must be for GPT-2's layouts to hold it (Radford et al. 2019), by the configuration of ours. */
import { SandboxError } from "../engine/errors.ts";
import type { ModelConfig, TransformerConfig } from "../lm/config.ts";

/** Added to the variance in layer norm; what our layer norm adds (engine/ops/layerNorm.ts). */
export const gpt2Epsilon = 1e-5;

/** Keys that may have any value; all others must be as below. */
const free = new Set(["vocabSize", "contextLength", "embedSize", "layers", "heads", "dropout", "attentionDropout"]);

const required: Readonly<Record<string, unknown>> = {
  kind: "transformer",
  positions: "learned",
  attention: "softmax",
  norm: "layer",
  feedForward: "gelu",
  head: { kind: "softmax" },
  output: { bias: false, softcap: 0 },
};

/**
 * Checks that a model is a GPT-2. What a later configuration adds is refused where it is not off, as nobody else knows it.
 *
 * @throws {SandboxError} naming everything that GPT-2's layout has no place for.
 */
export function expectGpt2(where: string, config: ModelConfig): TransformerConfig {
  const wrong = Object.entries(config)
    .filter(([key]) => !free.has(key))
    .flatMap(([key, value]) => differences(key, value, required[key]));
  if (config.kind === "transformer" && wrong.length === 0) return config;
  throw new SandboxError(
    `${where}: GPT-2's layout cannot hold this model:\n${wrong.join("\n")}`,
    "Only transformers with learned positions, layer norm, GELU and a plain softmax head can be exported.",
  );
}

/** Lines about what differs; `tied` may be either. */
function differences(path: string, value: unknown, expected: unknown): string[] {
  if (typeof value === "object" && value !== null && typeof expected === "object" && expected !== null)
    return Object.entries(value)
      .filter(([key]) => key !== "tied")
      .flatMap(([key, child]) => differences(`${path}.${key}`, child, (expected as Record<string, unknown>)[key]));
  if (value === expected || (expected === undefined && isOff(value))) return [];
  const wanted = expected === undefined ? "is not known there" : `must be ${JSON.stringify(expected)}`;
  return [`  model.${path} ${wanted}, got ${JSON.stringify(value)}`];
}

/** Values that mean "without". */
const isOff = (value: unknown): boolean =>
  value === undefined || value === null || value === 0 || value === false || value === "none";
