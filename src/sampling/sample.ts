/** @file Draws one token. */
import { createRandomStream, randomKey } from "../engine/random.ts";
import type { Probabilities } from "./distribution.ts";

/**
 * The id at which the running sum of probabilities passes `uniform · Σ p`; never one of probability 0.
 *
 * @param uniform - in [0, 1).
 */
export function drawAt(probabilities: Probabilities, uniform: number): number {
  let rest = uniform * probabilities.reduce((sum, p) => sum + p, 0);
  let last = -1;
  for (const [id, p] of probabilities.entries()) {
    if (p === 0) continue;
    if (rest < p) return id;
    rest -= p;
    last = id; // rounding may leave a rest behind the last token
  }
  return last;
}

/** Draws the token at `position` of a text: a pure function of (probabilities, seed, position). */
export const drawToken = (probabilities: Probabilities, seed: number, position: number): number =>
  drawAt(probabilities, createRandomStream(randomKey(seed, "sample", position)).uniform());
