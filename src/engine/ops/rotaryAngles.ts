/** @file The angles of rotary positions as a table of cosines and sines, made once a length. */

/** Tables by what they are made from; a few lengths are in use at a time. */
const made = new Map<string, Float32Array>();
const mostTables = 64;

/**
 * Cosines and sines of `position · base^(−2i / D)` for positions `start … start + T − 1`, `i < D / 2`.
 *
 * @returns `[T, D]`: a position's cosines, then its sines. Shared: not to be changed.
 */
export function anglesOf(start: number, T: number, D: number, base: number): Float32Array {
  const name = `${start}/${T}/${D}/${base}`;
  const known = made.get(name);
  if (known) return known;
  if (made.size >= mostTables) made.clear();
  const planes = D / 2;
  const table = new Float32Array(T * D);
  for (let t = 0; t < T; t++)
    for (let i = 0; i < planes; i++) {
      const angle = (start + t) * base ** ((-2 * i) / D);
      table[t * D + i] = Math.cos(angle);
      table[t * D + planes + i] = Math.sin(angle);
    }
  made.set(name, table);
  return table;
}
