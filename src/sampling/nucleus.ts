/**
 * @file The fewest tokens, nearest to a centre, that reach a mass: the likeliest, whose centre is the highest score, or the most typical.
 *
 * Nothing is sorted. One pass sums the powers in narrow bins of scores; of the rings of bins around that of the centre, those in which the
 * mass is reached are then the only ones whose tokens are compared with each other.
 */
import { binOf } from "../engine/scorePasses.ts";
import { decay } from "../lm/exponential.ts";
import { type Field, gatherRings, gatherWithin, keep, keepFrom } from "./field.ts";
import { selectWithin } from "./select.ts";

/** Rings of bins around a middle one: ring k is the bins k before and k after it. */
interface Rings {
  readonly bins: Float64Array;
  readonly middle: number;
}

/** Keeps the fewest likeliest tokens whose probabilities reach `mass`, in (0, 1); at least one. Of equals the lowest ids stay. */
export function keepNucleus(field: Field, mass: number): Field {
  makeRoom(field.scores.length);
  const { bins, total } = field.binned();
  const rings = { bins, middle: 0 };
  const wanted = mass * total;
  const ring = ringOf(rings, wanted);
  const atBorder = gatherRings(field, 0, ring, ring).places;
  const { threshold, ties } = borderOf(field, { keys: field.scores, atBorder, wanted, above: massWithin(rings, ring) });
  return keepFrom(field, threshold, ties);
}

/** Rings to either side of the border's that may hold tokens at the border: one, as bins have a width, and one for rounding. */
const slack = 2;

/** Keeps the fewest tokens whose surprise is nearest to the entropy and whose probabilities reach `mass`; at least one. Of equals likewise. */
export function keepTypical(field: Field, mass: number): Field {
  makeRoom(field.scores.length);
  const { bins, top, total, entropy } = field.binned();
  const centre = Math.log(total) + top - entropy;
  const rings = { bins, middle: binOf(top - centre) };
  const wanted = mass * total;
  const ring = ringOf(rings, wanted);
  const first = Math.max(0, ring - slack);
  const atBorder = gatherRings(field, rings.middle, first, ring + slack).places;
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

/** By place; only those at a border are written. The next field overwrites them. */
let [distances, powers] = [new Float32Array(1), new Float64Array(1)];

function makeRoom(count: number): void {
  if (powers.length < count) [distances, powers] = [new Float32Array(count), new Float64Array(count)];
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
