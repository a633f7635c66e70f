/**
 * @file The fewest tokens, nearest to a centre, that reach a mass: the likeliest, whose centre is the highest score, or the most typical.
 *
 * Nothing is sorted. One pass sums the powers in narrow bins of scores; of the rings of bins around that of the centre, those in which the
 * mass is reached are then the only ones whose tokens are compared with each other.
 */
import { binOf, decay } from "../lm/exponential.ts";
import { blockLength } from "./blocks.ts";
import { type Field, gatherWithin, keep, keepFrom } from "./field.ts";
import { selectWithin } from "./select.ts";

/** Rings of bins around a middle one: ring k is the bins k before and k after it. */
interface Rings {
  readonly bins: Float64Array;
  readonly middle: number;
}

/** Keeps the fewest likeliest tokens whose probabilities reach `mass`, in (0, 1); at least one. Of equals the lowest ids stay. */
export function keepNucleus(field: Field, mass: number): Field {
  const { bins, total } = field.binned();
  const rings = { bins, middle: 0 };
  const wanted = mass * total;
  const ring = ringOf(rings, wanted);
  const atBorder = placesBetween(field, 0, ring, ring);
  const { threshold, ties } = borderOf(field, { keys: field.scores, atBorder, wanted, above: massWithin(rings, ring) });
  return keepFrom(field, threshold, ties);
}

/** Rings to either side of the border's that may hold tokens at the border: one, as bins have a width, and one for rounding. */
const slack = 2;

/** Keeps the fewest tokens whose surprise is nearest to the entropy and whose probabilities reach `mass`; at least one. Of equals likewise. */
export function keepTypical(field: Field, mass: number): Field {
  const { bins, top, total, entropy } = field.binned();
  const centre = Math.log(total) + top - entropy;
  const rings = { bins, middle: binOf(top - centre) };
  const wanted = mass * total;
  const ring = ringOf(rings, wanted);
  const first = Math.max(0, ring - slack);
  const atBorder = placesBetween(field, rings.middle, first, ring + slack);
  for (const place of atBorder) distances[place] = -Math.abs(centre - field.scores[place]!);
  const { threshold, ties } = borderOf(field, { keys: distances, atBorder, wanted, above: massWithin(rings, first) });
  return keep(field, gatherWithin(field, centre, -threshold, ties));
}

/** Sum of the powers in a ring. */
function massOf({ bins, middle }: Rings, ring: number): number {
  if (ring === 0) return bins[middle]!;
  const before = ring <= middle ? bins[middle - ring]! : 0;
  return middle + ring < bins.length ? before + bins[middle + ring]! : before;
}

/** Sum of the powers in the rings before one. */
function massWithin(rings: Rings, end: number): number {
  let sum = 0;
  for (let ring = 0; ring < end; ring++) sum += massOf(rings, ring);
  return sum;
}

/** The ring in which the sum of powers reaches `wanted`; the last that has any where rounding has left a rest. */
function ringOf(rings: Rings, wanted: number): number {
  let [reached, ring, last] = [0, 0, 0];
  for (; ring < rings.bins.length && reached < wanted; ring++) {
    const mass = massOf(rings, ring);
    reached += mass;
    if (mass > 0) last = ring;
  }
  return last;
}

/** Room for the tokens at a border; `[n]` by place, of which only theirs are written. The next field overwrites it. */
let open = new Int32Array(1);
let [distances, powers] = [new Float32Array(1), new Float64Array(1)];

function makeRoom(count: number): void {
  if (open.length > count) return;
  open = new Int32Array(count + 1);
  [distances, powers] = [new Float32Array(count), new Float64Array(count)];
}

/**
 * The places in the rings from one to another, rising, in a view that the next call overwrites. Each place is written down, and written over
 * by the next where it is not wanted: there is no branch to be guessed wrong.
 */
function placesBetween({ scores, maxima, top }: Field, middle: number, first: number, last: number): Int32Array {
  makeRoom(scores.length);
  const [own, best, highest] = [open, maxima(), top()];
  let count = 0;
  for (let block = 0; block < best.length; block++) {
    if (binOf(highest - best[block]!) - middle > last) continue;
    const end = Math.min(scores.length, (block + 1) * blockLength);
    for (let i = block * blockLength; i < end; i++) {
      const ring = Math.abs(binOf(highest - scores[i]!) - middle);
      own[count] = i;
      count += Number(ring >= first) & Number(ring <= last);
    }
  }
  return own.subarray(0, count);
}

/** What is wanted of the tokens at a border; `above` is the sum of the powers that have higher keys. */
interface Wish {
  /** The higher the nearer, by place. */
  readonly keys: Float32Array;
  readonly atBorder: Int32Array;
  readonly wanted: number;
  readonly above: number;
}

/** The lowest key that is kept, and how many of those that have it, by rising place; infinitely many where all are. */
function borderOf(
  { scores, top }: Field,
  { keys, atBorder, wanted, above }: Wish,
): { threshold: number; ties: number } {
  for (const place of atBorder) powers[place] = decay(top() - scores[place]!);
  const candidates = atBorder.filter((place) => powers[place]! > 0);
  const border = selectWithin({ keys, weights: powers, candidates, wanted, above });
  const ties = atBorder.filter((place) => keys[place] === border.threshold);
  let [reached, count] = [border.above + powers[ties[0]!]!, 1];
  while (count < ties.length && reached < wanted) reached += powers[ties[count++]!]!;
  return { threshold: border.threshold, ties: count < ties.length ? count : Number.POSITIVE_INFINITY };
}
