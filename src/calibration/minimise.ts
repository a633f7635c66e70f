/**
 * @file Minimises smooth convex functions whose every evaluation is a walk over a stream: limited-memory BFGS (Nocedal & Wright
 * 2006, algorithm 7.4) from a diagonal preconditioner, with backtracking. The value never rises, so nothing can diverge.
 */

/** A function at one point. */
export interface Evaluated {
  readonly value: number;
  readonly gradient: Float64Array;
}

export interface MinimiseOptions {
  /** About the Hessian's diagonal at the start, positive. */
  readonly diagonal: Float64Array;
  /** What the start evaluates to, where that is known already; it counts as an evaluation. */
  readonly first?: Evaluated;
  /** Evaluations at most. */
  readonly evaluations: number;
  /** Ends where a step promises less than this share of the value. */
  readonly tolerance: number;
}

/** Pairs of steps and gradient changes that are remembered. */
const memory = 8;
/** Sufficient decrease (Armijo 1966). */
const decrease = 1e-4;

interface Change {
  readonly step: Float64Array;
  readonly gradient: Float64Array;
  readonly curvature: number;
}

const dot = (a: Float64Array, b: Float64Array): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
};
const plus = (a: Float64Array, scale: number, b: Float64Array): Float64Array => a.map((x, i) => x + scale * b[i]!);

/** The lowest point found from `start` on; `start` is not changed. */
export async function minimise(
  evaluate: (x: Float64Array) => Promise<Evaluated>,
  start: Float64Array,
  { diagonal, first, evaluations, tolerance }: MinimiseOptions,
): Promise<Float64Array> {
  let x = start;
  let here = first ?? (await evaluate(x));
  let left = evaluations - 1;
  const counted = (at: Float64Array): Promise<Evaluated> => {
    left--;
    return evaluate(at);
  };
  const changes: Change[] = [];
  while (left > 0) {
    const direction = descent(here.gradient, changes, diagonal);
    const slope = dot(direction, here.gradient);
    if (-slope <= tolerance * Math.max(1, Math.abs(here.value))) break;
    const found = await search(counted, { x, here, direction, slope, tries: left });
    if (!found) break;
    const step = plus(found.x, -1, x);
    const gradient = plus(found.at.gradient, -1, here.gradient);
    const curvature = dot(step, gradient);
    if (curvature > 0) changes.push({ step, gradient, curvature });
    if (changes.length > memory) changes.shift();
    [x, here] = [found.x, found.at];
  }
  return x;
}

/** `−H⁻¹ g` by the two-loop recursion. */
function descent(gradient: Float64Array, changes: readonly Change[], diagonal: Float64Array): Float64Array {
  let q: Float64Array = gradient;
  const shares: number[] = [];
  for (const change of changes.toReversed()) {
    const share = dot(change.step, q) / change.curvature;
    shares.push(share);
    q = plus(q, -share, change.gradient);
  }
  const scale = scaleOf(changes.at(-1), diagonal);
  let result: Float64Array = q.map((value, i) => (scale * value) / diagonal[i]!);
  for (const change of changes) {
    const share = shares.pop()! - dot(change.gradient, result) / change.curvature;
    result = plus(result, share, change.step);
  }
  return result.map((value) => -value);
}

/** How much the newest step says the preconditioner is off (eq. 7.20). */
function scaleOf(change: Change | undefined, diagonal: Float64Array): number {
  if (!change) return 1;
  return change.curvature / change.gradient.reduce((sum, y, i) => sum + (y * y) / diagonal[i]!, 0);
}

/**
 * The first point on `x + length · d` that is low enough, from length 1 on; undefined if none is within the tries. A length that was too
 * long is followed by the lowest place of the cubic through both ends' values and slopes (eq. 3.59), within bounds.
 */
async function search(
  evaluate: (x: Float64Array) => Promise<Evaluated>,
  { x, here, direction, slope, tries }: LineSearch,
): Promise<{ x: Float64Array; at: Evaluated } | undefined> {
  let length = 1;
  for (let tried = 0; tried < tries; tried++) {
    const next = plus(x, length, direction);
    const at = await evaluate(next);
    if (at.value <= here.value + decrease * length * slope) return { x: next, at };
    const lowest = lowestOfCubic(length, here.value, slope, at.value, dot(direction, at.gradient));
    length *= Math.max(shortest, Math.min(longest, lowest / length || longest));
  }
  return undefined;
}

/** Shares of a length that the next one may be. */
const [shortest, longest] = [0.02, 0.5];

/** Where the cubic with these values and slopes at 0 and `length` is lowest; no number where it has no such place. */
function lowestOfCubic(length: number, value0: number, slope0: number, value1: number, slope1: number): number {
  const d1 = slope0 + slope1 - (3 * (value1 - value0)) / length;
  const d2 = Math.sqrt(d1 * d1 - slope0 * slope1);
  return length - (length * (slope1 + d2 - d1)) / (slope1 - slope0 + 2 * d2);
}

interface LineSearch {
  readonly x: Float64Array;
  readonly here: Evaluated;
  readonly direction: Float64Array;
  readonly slope: number;
  readonly tries: number;
}
