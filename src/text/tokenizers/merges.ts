/**
 * @file Byte-pair encoding of one word: join the pair that was learned first, until none is left.
 *
 * Sennrich, Haddow and Birch 2016, "Neural machine translation of rare words with subword units", algorithm 1.
 * A heap of pairs over a linked list: n log n, so that a word of 100,000 letters is no trap.
 */

/** Learned pairs: `left * 65536 + right` gives the id of the joined token. Lower ids were learned earlier. */
export type Merges = ReadonlyMap<number, number>;

/** The key of a pair in `Merges`; ids are below 65,536. */
export const pairKey = (left: number, right: number): number => left * 65536 + right;

const positions = 2 ** 32;

const shortest = 24;

/** Joins the ids of single bytes into tokens; earliest learned pair first, leftmost first among equals. */
export const applyMerges = (bytes: ArrayLike<number>, merges: Merges): number[] =>
  bytes.length <= shortest ? joinByScan(bytes, merges) : joinByHeap(bytes, merges);

/** For short words: looks at all pairs for the earliest learned one, as often as there is one. */
function joinByScan(bytes: ArrayLike<number>, merges: Merges): number[] {
  const ids = Array.from(bytes);
  const joined: (number | undefined)[] = []; // what the pair that begins here would become
  for (let at = 0; at + 1 < ids.length; at++) joined.push(merges.get(pairKey(ids[at]!, ids[at + 1]!)));
  for (;;) {
    let [best, earliest] = [-1, Number.POSITIVE_INFINITY];
    for (let at = 0; at < joined.length; at++) {
      const token = joined[at];
      if (token !== undefined && token < earliest) [best, earliest] = [at, token];
    }
    if (best < 0) return ids;
    ids[best] = earliest;
    ids.splice(best + 1, 1);
    joined.splice(best, 1);
    if (best > 0) joined[best - 1] = merges.get(pairKey(ids[best - 1]!, earliest));
    if (best + 1 < ids.length) joined[best] = merges.get(pairKey(earliest, ids[best + 1]!));
  }
}

function joinByHeap(bytes: ArrayLike<number>, merges: Merges): number[] {
  const ids = Array.from(bytes);
  const end = ids.length;
  const next = ids.map((_, i) => i + 1);
  const previous = ids.map((_, i) => i - 1);
  const heap: number[] = [];
  const joined = (at: number): number | undefined =>
    at >= 0 && next[at]! < end ? merges.get(pairKey(ids[at]!, ids[next[at]!]!)) : undefined;
  const offer = (at: number): void => {
    const token = joined(at);
    if (token !== undefined) pushHeap(heap, token * positions + at);
  };
  for (let at = 0; at < end; at++) offer(at);
  while (heap.length > 0) {
    const entry = popHeap(heap);
    const at = entry % positions;
    if (ids[at] === -1 || joined(at) !== Math.floor(entry / positions)) continue; // joined otherwise meanwhile
    const gone = next[at]!;
    ids[at] = Math.floor(entry / positions);
    ids[gone] = -1;
    next[at] = next[gone]!;
    if (next[at]! < end) previous[next[at]!] = at;
    offer(previous[at]!);
    offer(at);
  }
  return ids.filter((id) => id !== -1);
}

/** Adds to a binary heap with its smallest number at index 0. */
function pushHeap(heap: number[], value: number): void {
  let at = heap.push(value) - 1;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (heap[parent]! <= value) break;
    heap[at] = heap[parent]!;
    at = parent;
  }
  heap[at] = value;
}

/** Takes the smallest number out of a heap that is not empty. */
function popHeap(heap: number[]): number {
  const smallest = heap[0]!;
  const value = heap.pop()!;
  if (heap.length === 0) return smallest;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child + 1 < heap.length && heap[child + 1]! < heap[child]!) child++;
    if (child >= heap.length || heap[child]! >= value) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = value;
  return smallest;
}
