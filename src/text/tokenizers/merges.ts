/**
 * @file Byte-pair encoding of one word: join the pair that was learned first, until none is left.
 *
 * Sennrich, Haddow and Birch 2016, "Neural machine translation of rare words with subword units", algorithm 1.
 * A heap of pairs over a linked list: n log n, so that a word of 100,000 letters is no trap.
 */

/** Learned pairs. */
export interface Merges {
  /** By `pairKey`, when a pair was learned: lower ranks earlier. */
  readonly ranks: ReadonlyMap<number, number>;
  /** The token that a pair becomes, by rank; absent where tokens are numbered in the order in which they were learned. */
  readonly tokens?: ArrayLike<number>;
}

/** Ids are below this. */
export const mostTokens = 65_536;

/** The key of a pair in `Merges`. */
export const pairKey = (left: number, right: number): number => left * mostTokens + right;

/** The pair of a key. */
export const splitPairKey = (key: number): [left: number, right: number] => [
  Math.floor(key / mostTokens),
  key % mostTokens,
];

const positions = 2 ** 32;

const shortest = 24;

/** Joins the ids of single bytes into tokens; earliest learned pair first, leftmost first among equals. */
export const applyMerges = (bytes: ArrayLike<number>, merges: Merges): number[] =>
  bytes.length <= shortest ? joinByScan(bytes, merges) : joinByHeap(bytes, merges);

const tokenOf = ({ tokens }: Merges, rank: number): number => (tokens ? tokens[rank]! : rank);

/** For short words: looks at all pairs for the earliest learned one, as often as there is one. */
function joinByScan(bytes: ArrayLike<number>, merges: Merges): number[] {
  const { ranks } = merges;
  const ids = Array.from(bytes);
  const found: (number | undefined)[] = []; // rank of the pair that begins here
  for (let at = 0; at + 1 < ids.length; at++) found.push(ranks.get(pairKey(ids[at]!, ids[at + 1]!)));
  for (;;) {
    let [best, earliest] = [-1, Number.POSITIVE_INFINITY];
    for (let at = 0; at < found.length; at++) {
      const rank = found[at];
      if (rank !== undefined && rank < earliest) [best, earliest] = [at, rank];
    }
    if (best < 0) return ids;
    const token = tokenOf(merges, earliest);
    ids[best] = token;
    ids.splice(best + 1, 1);
    found.splice(best, 1);
    if (best > 0) found[best - 1] = ranks.get(pairKey(ids[best - 1]!, token));
    if (best + 1 < ids.length) found[best] = ranks.get(pairKey(token, ids[best + 1]!));
  }
}

function joinByHeap(bytes: ArrayLike<number>, merges: Merges): number[] {
  const { ranks } = merges;
  const ids = Array.from(bytes);
  const end = ids.length;
  const next = ids.map((_, i) => i + 1);
  const previous = ids.map((_, i) => i - 1);
  const heap: number[] = [];
  const rankAt = (at: number): number | undefined =>
    at >= 0 && next[at]! < end ? ranks.get(pairKey(ids[at]!, ids[next[at]!]!)) : undefined;
  const offer = (at: number): void => {
    const rank = rankAt(at);
    if (rank !== undefined) pushHeap(heap, rank * positions + at);
  };
  for (let at = 0; at < end; at++) offer(at);
  while (heap.length > 0) {
    const entry = popHeap(heap);
    const at = entry % positions;
    const rank = Math.floor(entry / positions);
    if (ids[at] === -1 || rankAt(at) !== rank) continue; // joined otherwise meanwhile
    const gone = next[at]!;
    ids[at] = tokenOf(merges, rank);
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
