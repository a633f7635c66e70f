/** @file Numbers that look random and are the same in every run. */

/** A step of the generator of Park and Miller (1988), in 1 … 2³¹ − 2. */
const next = (state) => (state * 48271) % 2147483647;

/** `n` numbers in (−scale, scale). */
export function noise(n, scale = 1, seed = 1) {
  const values = new Float32Array(n);
  let state = next(seed * 7919);
  for (let i = 0; i < n; i++) {
    state = next(state);
    values[i] = (state / 1073741824 - 1) * scale;
  }
  return values;
}

/** `n` ids in 0 … vocabulary − 1. */
export function noiseIds(n, vocabulary, seed = 1) {
  const ids = new Int32Array(n);
  let state = next(seed * 7919);
  for (let i = 0; i < n; i++) {
    state = next(state);
    ids[i] = state % vocabulary;
  }
  return ids;
}
