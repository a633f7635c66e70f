/** @file Draws one token. */
import { SandboxError } from "../engine/errors.ts";
import { createRandomStream, randomKey } from "../engine/random.ts";
import { placeOfSum } from "../lm/exponential.ts";
import type { Field } from "./field.ts";

/** The stream of one of several texts; the first has the plain name. */
const streamOf = (name: string, sample: number): string => (sample === 0 ? name : `${name}/${sample}`);

const uniformOf = (seed: number, position: number, sample: number): number =>
  createRandomStream(randomKey(seed, streamOf("sample", sample), position)).uniform();

/** A token that was drawn, and how probable it was. */
export interface Drawn {
  readonly id: number;
  readonly probability: number;
}

/**
 * Draws the token at `position` of a text: the one at which the running sum of probabilities passes a random number in [0, 1). A pure
 * function of (field, seed, position, which of several texts).
 *
 * @throws {SandboxError} where no score is a number.
 */
export function drawFrom({ scores, ids, inverse, sums }: Field, seed: number, position: number, sample = 0): Drawn {
  const found = sums();
  if (!(found.total > 0))
    throw new SandboxError(
      "sampling: expected scores of which one at least is a number, got none",
      "The model's weights are damaged or its training has diverged; take an earlier checkpoint.",
    );
  const { place, power } = placeOfSum(scores, found, inverse, uniformOf(seed, position, sample) * found.total);
  return { id: ids ? ids[place]! : place, probability: power / found.total };
}

/** The random number at `position` that filters may use; independent of the draw. */
export const filterUniform = (seed: number, position: number, sample = 0): number =>
  createRandomStream(randomKey(seed, streamOf("filter", sample), position)).uniform();
