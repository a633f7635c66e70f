/** @file Looks for places of a field: of high scores, of scores near a centre. */
import type { Field, Scores } from "./field.ts";
import { passes } from "./passes.ts";

/** Some places of a field, rising, and the scores there, in views that the next gathering overwrites. */
export interface Gathered {
  readonly places: Int32Array;
  readonly scores: Scores;
}

/** Room for what is gathered. */
let places = new Int32Array(1);
let kept: Scores = new Float32Array(1);

function makeRoom(count: number): void {
  if (places.length > count) return;
  [places, kept] = [new Int32Array(count + 1), new Float32Array(count + 1)];
}

/** The places whose score is at least the threshold, and of those at the threshold the `ties` first; none that is removed. */
export function gatherFrom({ scores, maxima }: Field, threshold: number, ties = Number.POSITIVE_INFINITY): Gathered {
  makeRoom(scores.length);
  const least = Math.max(threshold, -Number.MAX_VALUE);
  const count = passes().scoresFrom(scores, maxima(), places, kept, scores.length, least);
  return leaveOut(count, ties, (score) => score === threshold);
}

/** The places whose distance from a centre, `|centre − s|` in float32, is at most `radius`, and of those at that distance the `ties` first. */
export function gatherWithin({ scores, maxima }: Field, centre: number, radius: number, ties: number): Gathered {
  makeRoom(scores.length);
  const count = passes().scoresWithin(scores, maxima(), places, kept, scores.length, centre, radius);
  return leaveOut(count, ties, (score) => Math.fround(Math.abs(centre - score)) === radius);
}

/** The places whose bin of distance from the highest score is `from` … `to` bins away from one in the middle. */
export function gatherRings({ scores, maxima, top }: Field, middle: number, from: number, to: number): Gathered {
  makeRoom(scores.length);
  return first(passes().scoresInRings(scores, maxima(), places, kept, scores.length, top(), middle, from, to));
}

const first = (count: number): Gathered => ({ places: places.subarray(0, count), scores: kept.subarray(0, count) });

/** Takes all but the first `ties` of those at the border out of what has been gathered. */
function leaveOut(count: number, ties: number, isAtBorder: (score: number) => boolean): Gathered {
  if (ties >= count) return first(count);
  let [left, tied] = [0, 0];
  for (let i = 0; i < count; i++) {
    if (isAtBorder(kept[i]!) && tied++ >= ties) continue;
    places[left] = places[i]!;
    kept[left++] = kept[i]!;
  }
  return first(left);
}
