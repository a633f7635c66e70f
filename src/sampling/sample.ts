/** @file Draws one token. */
import { createRandomStream, randomKey } from "../engine/random.ts";
import type { Probabilities } from "./distribution.ts";

/**
 * The id at which the running sum of probabilities passes `uniform · Σ p`; never one of probability 0.
 *
 * @param uniform - in [0, 1).
 */
export function drawAt(probabilities: Probabilities, uniform: number): number {
  let total = 0;
  for (let id = 0; id < probabilities.length; id++) total += probabilities[id]!;
  let rest = uniform * total;
  let last = -1;
  for (let id = 0; id < probabilities.length; id++) {
    const p = probabilities[id]!;
    if (p === 0) continue;
    if (rest < p) return id;
    rest -= p;
    last = id; // rounding may leave a rest behind the last token
  }
  return last;
}

/** The stream of one of several texts; the first has the plain name. */
const streamOf = (name: string, sample: number): string => (sample === 0 ? name : `${name}/${sample}`);

/** Draws the token at `position` of a text: a pure function of (probabilities, seed, position, which of several texts). */
export const drawToken = (probabilities: Probabilities, seed: number, position: number, sample = 0): number =>
  drawAt(probabilities, createRandomStream(randomKey(seed, streamOf("sample", sample), position)).uniform());

/** The random number at `position` that filters may use; independent of the draw. */
export const filterUniform = (seed: number, position: number, sample = 0): number =>
  createRandomStream(randomKey(seed, streamOf("filter", sample), position)).uniform();
