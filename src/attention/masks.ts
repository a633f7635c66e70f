/** @file Which positions a query sees: those up to its own, and of these, where there is a window, the last ones. */

/** Queries and keys as stretches of one text. */
export interface Stretch {
  /** Position of the first query. */
  readonly query: number;
  readonly queries: number;
  /** Position of the first key. */
  readonly key: number;
  readonly keys: number;
}

/** The first position that the one at `position` sees. @param window - positions seen, its own included; 0: all. */
export const firstSeen = (position: number, window: number): number =>
  window > 0 ? Math.max(0, position + 1 - window) : 0;

/**
 * What is added to scores: −∞ where a query does not see a key, elsewhere what `bias` says.
 *
 * @param bias - of a key at a distance of tokens, to a query that sees so many positions.
 * @returns `[T · S]`, a row a query.
 */
export function maskScores(
  { query, queries, key, keys }: Stretch,
  window: number,
  bias: (distance: number, seen: number) => number,
): Float32Array {
  const added = new Float32Array(queries * keys).fill(Number.NEGATIVE_INFINITY);
  for (let t = 0; t < queries; t++) {
    const position = query + t;
    const first = firstSeen(position, window);
    const seen = position + 1 - first;
    for (let s = Math.max(0, first - key); s < keys && key + s <= position; s++)
      added[t * keys + s] = bias(position - key - s, seen);
  }
  return added;
}
