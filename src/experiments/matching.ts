/**
 * @file Models of equal size: the width of a model's layers is set so that its parameters come as near to a number as whole
 * units allow. The features a token, E, stay, as they bound the rank that a softmax can have, and so does the vocabulary.
 */
import { SandboxError } from "../engine/errors.ts";
import { type ModelRecipe, parseModelConfig } from "../lm/config.ts";
import { headName } from "../lm/heads/shortForm.ts";
import { countParametersOf } from "../lm/parameterCount.ts";
import { feedForwardSizeOf } from "../lm/trunks/transformer/feedForwards.ts";

/** What is turned to change a model's size. */
interface Knob {
  /** In words, for tables. */
  readonly name: string;
  readonly value: number;
  /** The model with another value; its size grows with the value. */
  at(value: number): ModelRecipe;
}

export interface Matched {
  readonly model: ModelRecipe;
  readonly parameters: number;
  /** What was turned, e.g. `feed-forward width 383`. */
  readonly how: string;
}

function knobOf(model: ModelRecipe): Knob {
  if (model.kind === "transformer") {
    const at = (feedForwardSize: number): ModelRecipe => ({ ...model, feedForwardSize });
    return { name: "feed-forward width", value: feedForwardSizeOf(model), at };
  }
  const { hiddenSizes, embedSize } = model;
  // A last layer as wide as the embedding stays so: else a projection comes or goes with it.
  const fixed = hiddenSizes.length > 1 && hiddenSizes.at(-1) === embedSize ? 1 : 0;
  const first = hiddenSizes[0]!;
  const scaled = (units: number, value: number): number => Math.max(1, Math.round((units * value) / first));
  const at = (value: number): ModelRecipe => ({
    ...model,
    hiddenSizes: hiddenSizes.map((units, i) => (i < hiddenSizes.length - fixed ? scaled(units, value) : units)),
  });
  return { name: "units of the first layer", value: first, at };
}

/**
 * The model with as many parameters as `target`, as nearly as its layers' width allows.
 *
 * @throws {SandboxError} if its head and vocabulary alone come near that number or exceed it.
 */
export function matchParameters(model: ModelRecipe, vocabSize: number, target: number): Matched {
  const knob = knobOf(model);
  const count = (value: number): number => countParametersOf(parseModelConfig({ ...knob.at(value), vocabSize }));
  let [low, high] = [1, Math.max(2, knob.value)];
  while (count(high) < target) high *= 2;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (count(middle) <= target) low = middle;
    else high = middle;
  }
  const value = Math.abs(count(low) - target) <= Math.abs(count(high) - target) ? low : high;
  if (value < knob.value / 8)
    throw new SandboxError(
      `--match parameters: with the head ${headName(model.head)} so little would be left of the ${knob.name} (${value} of ${knob.value})`,
      "Name a larger head first, which sets the number that the others are matched to; or mix fewer components.",
    );
  return { model: knob.at(value), parameters: count(value), how: `${knob.name} ${value}` };
}
