/** @file The passes over a vocabulary's scores, defined in JavaScript; the active engine's where it has its own. */
import { binsOfOne, blockLength, offeredScorePasses, type ScorePasses } from "../engine/scorePasses.ts";
import { scoreSums } from "../lm/exponential.ts";

export const plainPasses: ScorePasses = { blockMaxima, scoreSums, scoresFrom, scoresWithin, scoresInRings };

export const passes = (): ScorePasses => offeredScorePasses() ?? plainPasses;

type Pass<Name extends keyof ScorePasses> = Parameters<ScorePasses[Name]>;

function blockMaxima(...[scores, maxima, n]: Pass<"blockMaxima">): void {
  for (let block = 0; block < maxima.length; block++) {
    const start = block * blockLength;
    maxima[block] = highestWithin(scores, start, Math.min(start + blockLength, n));
  }
}

/** Four at a time: each comparison waits for the one before it. */
function highestWithin(scores: Float32Array, start: number, end: number): number {
  let [a, b, c, d] = [scores[start]!, scores[start]!, scores[start]!, scores[start]!];
  let i = start;
  for (; i + 3 < end; i += 4) {
    if (scores[i]! > a) a = scores[i]!;
    if (scores[i + 1]! > b) b = scores[i + 1]!;
    if (scores[i + 2]! > c) c = scores[i + 2]!;
    if (scores[i + 3]! > d) d = scores[i + 3]!;
  }
  for (; i < end; i++) if (scores[i]! > a) a = scores[i]!;
  return Math.max(a, b, c, d);
}

// In a block that may have any, each place is written down, and written over by the next where it is not wanted: there is no branch to be
// guessed wrong.

function scoresFrom(...[scores, maxima, places, kept, n, threshold]: Pass<"scoresFrom">): number {
  let count = 0;
  for (let block = 0; block < maxima.length; block++) {
    if (maxima[block]! < threshold) continue;
    const end = Math.min(n, (block + 1) * blockLength);
    for (let i = block * blockLength; i < end; i++) {
      const score = scores[i]!;
      places[count] = i;
      kept[count] = score;
      count += Number(score >= threshold);
    }
  }
  return count;
}

function scoresWithin(...[scores, maxima, places, kept, n, centre, radius]: Pass<"scoresWithin">): number {
  let count = 0;
  for (let block = 0; block < maxima.length; block++) {
    if (Math.fround(centre - maxima[block]!) > radius) continue;
    const end = Math.min(n, (block + 1) * blockLength);
    for (let i = block * blockLength; i < end; i++) {
      const score = scores[i]!;
      places[count] = i;
      kept[count] = score;
      count += Number(Math.fround(Math.abs(centre - score)) <= radius);
    }
  }
  return count;
}

/** Few, as a rule: what they score is looked up in the end. */
function scoresInRings(...[scores, maxima, places, kept, n, top, middle, first, last]: Pass<"scoresInRings">): number {
  const [begin, end] = [middle - last, middle + last + 1];
  const [innerBegin, innerEnd] = [middle - first + 1, middle + first];
  let count = 0;
  for (let block = 0; block < maxima.length; block++) {
    if (!((top - maxima[block]!) * binsOfOne < end)) continue;
    const stop = Math.min(n, (block + 1) * blockLength);
    for (let i = block * blockLength; i < stop; i++) {
      const at = (top - scores[i]!) * binsOfOne;
      places[count] = i;
      count += Number(at >= begin) & Number(at < end) & (Number(at < innerBegin) | Number(at >= innerEnd));
    }
  }
  for (let i = 0; i < count; i++) kept[i] = scores[places[i]!]!;
  return count;
}
