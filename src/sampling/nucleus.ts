/** @file The fewest tokens that reach a mass: the likeliest, found by the sums that one pass has left in bins, or by any other key. */
import { binShift, binsOfOne, decay, type Sums } from "../lm/exponential.ts";
import type { Powers } from "../lm/softmax.ts";
import { type Field, keepFrom, type Scores } from "./field.ts";
import { borrowIds, selectThreshold, selectWithin } from "./select.ts";

let powers = new Float64Array(0);

/** Keeps the fewest likeliest tokens whose probabilities reach `mass`, in (0, 1); at least one. Of equals the lowest ids stay. */
export function keepNucleus(field: Field, mass: number): Field {
  const { scores } = field;
  const sums = field.sums();
  const wanted = mass * sums.total;
  const { bin, above } = binOf(sums.bins, wanted);
  const candidates = collect(scores, sums, bin);
  if (powers.length < scores.length) powers = new Float64Array(scores.length);
  for (const place of candidates) powers[place] = decay(sums.top - scores[place]!);
  const border = selectWithin({ keys: scores, weights: powers, candidates, wanted, above });
  const power = decay(sums.top - border.threshold);
  const ties = Math.max(1, Math.ceil((wanted - border.above) / power));
  return keepFrom(field, scores, border.threshold, ties);
}

/** The bin in which the sum of powers reaches `wanted`, and the sum of those before it. */
function binOf(bins: Float64Array, wanted: number): { readonly bin: number; readonly above: number } {
  let [above, bin] = [0, 0];
  while (bin < bins.length - 1 && above + bins[bin]! < wanted) above += bins[bin++]!;
  while (bins[bin] === 0) above -= bins[--bin]!; // rounding left a rest behind the last token
  return { bin, above };
}

/** The places of a bin's tokens, rising, in a view that the next call overwrites; each is written down, as in `keepFrom`. */
function collect(scores: Scores, { top }: Sums, bin: number): Int32Array {
  const [perOne, shift] = [binsOfOne, binShift];
  const places = borrowIds(scores.length);
  const [from, to] = [bin, bin + 1];
  let count = 0;
  for (let i = 0; i < scores.length; i++) {
    const at = (top - scores[i]!) * perOne + shift;
    places[count] = i;
    count += Number(at >= from) & Number(at < to);
  }
  return places.subarray(0, count);
}

/** Keeps the fewest tokens of highest key whose probabilities reach `mass`; at least one. Of equal keys the lowest ids come first. */
export function keepMass(field: Field, keys: Float32Array, { powers, total }: Powers, mass: number): Field {
  const { threshold, above } = selectThreshold(keys, mass * total, powers);
  let [reached, ties] = [above, 0];
  for (let id = 0; id < keys.length && reached < mass * total; id++) {
    if (keys[id] !== threshold) continue;
    reached += powers[id]!;
    ties++;
  }
  return keepFrom(field, keys, threshold, ties);
}
