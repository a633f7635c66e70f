/** @file Draws one token. */
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
 */
export function drawFrom({ scores, ids, inverse, sums }: Field, seed: number, position: number, sample = 0): Drawn {
  const found = sums();
  const { place, power } = placeOfSum(scores, found, inverse, uniformOf(seed, position, sample) * found.total);
  return { id: ids ? ids[place]! : place, probability: power / found.total };
}

/** The random number at `position` that filters may use; independent of the draw. */
export const filterUniform = (seed: number, position: number, sample = 0): number =>
  createRandomStream(randomKey(seed, streamOf("filter", sample), position)).uniform();
