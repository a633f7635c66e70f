/** @file What a model must be for GPT-2's layouts to hold it (Radford et al. 2019), by the configuration of ours. */
import { SandboxError } from "../engine/errors.ts";
import { multiplied, type TensorSources } from "../lm/checkpoint/tensorSource.ts";
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

/** The same model with a scale of 1: its last norm's gain and bias are multiplied by the scale. @param tensors - by our names. */
export function withoutScale(
  config: TransformerConfig,
  tensors: TensorSources,
): { readonly config: TransformerConfig; readonly tensors: TensorSources } {
  const { scale } = config.output;
  if (scale === 1) return { config, tensors };
  const isNorm = (name: string): boolean => name.startsWith("trunk.finalNorm.");
  return {
    config: { ...config, output: { ...config.output, scale: 1 } },
    tensors: new Map([...tensors].map(([name, source]) => [name, isNorm(name) ? multiplied(source, scale) : source])),
  };
}

/** Keys of the output layer that may have any value: GPT-2 knows both tables, and a scale goes into its last norm. */
const freeOutput = new Set(["tied", "scale"]);

/** Lines about what differs. */
function differences(path: string, value: unknown, expected: unknown): string[] {
  if (typeof value === "object" && value !== null && typeof expected === "object" && expected !== null)
    return Object.entries(value)
      .filter(([key]) => !freeOutput.has(key))
      .flatMap(([key, child]) => differences(`${path}.${key}`, child, (expected as Record<string, unknown>)[key]));
  if (value === expected || (expected === undefined && isOff(value))) return [];
  const wanted = expected === undefined ? "is not known there" : `must be ${JSON.stringify(expected)}`;
  return [`  model.${path} ${wanted}, got ${JSON.stringify(value)}`];
}

/** Values that mean "without". */
const isOff = (value: unknown): boolean =>
  value === undefined || value === null || value === 0 || value === false || value === "none";
