/**
 * @file The fewest tokens, nearest to a centre, that reach a mass: the likeliest, whose centre is the highest score, or the most typical.
 *
 * Nothing is sorted. One pass sums the powers by distance from the centre, in narrow bins; the bin in which the mass is reached is then
 * the only one whose tokens are compared with each other.
 */
import { binsOfOne, decay, sumByDistance } from "../lm/exponential.ts";
import { type Field, keepFrom, keepWithin, type Scores } from "./field.ts";
import { type Border, selectWithin } from "./select.ts";

/** What is wanted: tokens around a centre, of which mass. */
interface Wish {
  readonly centre: number;
  /** Sums of the powers by distance from it. */
  readonly bins: Float64Array;
  /** In (0, 1). */
  readonly mass: number;
  /** All lie on one side of the centre: then scores order them, which float32 tells apart where it rounds their distances alike. */
  readonly sided: boolean;
}

/** Room for the tokens at the border; `[n]` by place, of which only theirs are written. The next field overwrites it. */
let open = new Int32Array(1);
let [distances, powers] = [new Float32Array(1), new Float64Array(1)];

function makeRoom(count: number): void {
  if (open.length > count) return;
  open = new Int32Array(count + 1);
  [distances, powers] = [new Float32Array(count), new Float64Array(count)];
}

/** Keeps the fewest likeliest tokens whose probabilities reach `mass`, in (0, 1); at least one. Of equals the lowest ids stay. */
export function keepNucleus(field: Field, mass: number): Field {
  const { top, bins } = field.binned();
  return keepNearest(field, { centre: top, mass, bins, sided: true });
}

/** Keeps the fewest tokens whose surprise is nearest to the entropy and whose probabilities reach `mass`; at least one. Of equals likewise. */
export function keepTypical(field: Field, mass: number): Field {
  const { top, total, entropy } = field.sums();
  const centre = Math.log(total) + top - entropy;
  const bins = sumByDistance(field.scores, top, centre);
  return keepNearest(field, { centre, mass, bins, sided: false });
}

function keepNearest(field: Field, { centre, mass, bins, sided }: Wish): Field {
  const { scores } = field;
  const { top, total } = field.sums();
  makeRoom(scores.length);
  const wanted = mass * total;
  const { bin, above } = binOf(bins, wanted);
  const atBorder = placesOf(scores, centre, bin);
  for (const place of atBorder) {
    distances[place] = -Math.abs(centre - scores[place]!);
    powers[place] = decay(top - scores[place]!);
  }
  const keys = sided ? scores : distances;
  const border = selectWithin({ keys, weights: powers, candidates: atBorder.slice(), wanted, above });
  const ties = tiesOf(keys, atBorder, wanted, border);
  return sided ? keepFrom(field, border.threshold, ties) : keepWithin(field, centre, -border.threshold, ties);
}

/** The bin in which the sum of powers reaches `wanted`, and the sum of those before it. */
function binOf(bins: Float64Array, wanted: number): { readonly bin: number; readonly above: number } {
  let [above, bin] = [0, 0];
  while (bin < bins.length - 1 && above + bins[bin]! < wanted) above += bins[bin++]!;
  while (bins[bin] === 0) above -= bins[--bin]!; // rounding left a rest behind the last token
  return { bin, above };
}

/**
 * The places in a bin, rising, in a view that the next call overwrites. Each place is written down, and written over by the next where it
 * is not wanted: there is no branch to be guessed wrong.
 */
function placesOf(scores: Scores, centre: number, bin: number): Int32Array {
  const [perOne, end, own] = [binsOfOne, bin + 1, open];
  let count = 0;
  for (let i = 0; i < scores.length; i++) {
    const at = Math.fround(Math.abs(centre - scores[i]!)) * perOne;
    own[count] = i;
    count += Number(at >= bin) & Number(at < end);
  }
  return own.subarray(0, count);
}

/** How many of those at the threshold it takes, by rising place, to reach what is wanted, one at least; infinitely many where it takes all. */
function tiesOf(keys: Float32Array, atBorder: Int32Array, wanted: number, { threshold, above }: Border): number {
  const ties = atBorder.filter((place) => keys[place] === threshold);
  let [reached, count] = [above + powers[ties[0]!]!, 1];
  while (count < ties.length && reached < wanted) reached += powers[ties[count++]!]!;
  return count < ties.length ? count : Number.POSITIVE_INFINITY;
}
