/**
 * @file The fewest tokens, nearest to a centre, that reach a mass: the likeliest, whose centre is the highest score, or the most typical.
 *
 * Nothing is sorted. One pass sums the powers in narrow bins of scores; of the rings of bins around that of the centre, those in which the
 * mass is reached are then the only ones whose tokens are compared with each other.
 */
import { binOf } from "../engine/scorePasses.ts";
import { decay } from "../lm/exponential.ts";
import { type Field, keep, keepFrom } from "./field.ts";
import { gatherRings, gatherWithin } from "./gather.ts";
import { selectThreshold } from "./select.ts";

/** Rings of bins around a middle one: ring k is the bins k before and k after it. */
interface Rings {
  readonly bins: Float64Array;
  readonly middle: number;
}

/** Keeps the fewest likeliest tokens whose probabilities reach `mass`, in (0, 1); at least one. Of equals the lowest ids stay. */
export function keepNucleus(field: Field, mass: number): Field {
  const { bins, top, total } = field.binned();
  const rings = { bins, middle: 0 };
  const wanted = mass * total;
  const ring = ringOf(rings, wanted);
  const { scores } = gatherRings(field, 0, ring, ring);
  const { threshold, ties } = borderOf(scores, powersOf(scores, top), wanted - massWithin(rings, ring));
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
  const { scores } = gatherRings(field, rings.middle, first, ring + slack);
  const nearness = new Float32Array(scores.length);
  for (let i = 0; i < scores.length; i++) nearness[i] = -Math.abs(centre - scores[i]!);
  const { threshold, ties } = borderOf(nearness, powersOf(scores, top), wanted - massWithin(rings, first));
  return keep(field, gatherWithin(field, centre, -threshold, ties));
}

/** `e^(s − top)`. */
function powersOf(scores: Float32Array, top: number): Float64Array {
  const powers = new Float64Array(scores.length);
  for (let i = 0; i < scores.length; i++) powers[i] = decay(top - scores[i]!);
  return powers;
}

/** The border of the highest keys whose weights reach `wanted`, and how many of those at it, the first, are needed; infinitely many if all are. */
function borderOf(keys: Float32Array, weights: Float64Array, wanted: number): { threshold: number; ties: number } {
  const { threshold, above } = selectThreshold(keys, wanted, weights);
  let [reached, needed, tied] = [above, 0, 0];
  for (let i = 0; i < keys.length; i++) {
    if (keys[i] !== threshold) continue;
    tied++;
    if (needed > 0 && reached >= wanted) continue;
    reached += weights[i]!;
    needed++;
  }
  return { threshold, ties: needed < tied ? needed : Number.POSITIVE_INFINITY };
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
