/**
 * @file Counter-based randomness: a number is a pure function of (seed, stream, step, index).
 *
 * No state is carried from call to call, so a resumed run draws what the uninterrupted one would have drawn.
 * Generator: Threefry-2x32, 20 rounds (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3").
 */

/** Two 32-bit words that select one stream of random numbers. */
export type RandomKey = readonly [number, number];

const rotations = [13, 15, 26, 6, 17, 29, 16, 24] as const;
const parity = 0x1bd11bda;

const rotateLeft = (x: number, bits: number): number => (x << bits) | (x >>> (32 - bits));

/** Threefry-2x32-20: two random 32-bit words (as unsigned numbers) for a key and a two-word counter. */
export function threefry(key: RandomKey, counter0: number, counter1: number): [number, number] {
  const keys = [key[0] | 0, key[1] | 0, parity ^ key[0] ^ key[1]] as const;
  let x0 = (counter0 + keys[0]) | 0;
  let x1 = (counter1 + keys[1]) | 0;
  for (let round = 0; round < 20; round++) {
    x0 = (x0 + x1) | 0;
    x1 = rotateLeft(x1, rotations[round % 8]!) ^ x0;
    if (round % 4 === 3) {
      const injection = (round + 1) / 4;
      x0 = (x0 + keys[injection % 3]!) | 0;
      x1 = (x1 + keys[(injection + 1) % 3]! + injection) | 0;
    }
  }
  return [x0 >>> 0, x1 >>> 0];
}

/** FNV-1a, 32 bits: turns a stream's name into a word. */
function hashName(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/**
 * The key of one stream at one step.
 *
 * @param seed - any integer from 0 to 2^53 - 1.
 * @param stream - what the numbers are for, e.g. `"batch"`; different names give independent numbers.
 * @param step - e.g. the training step.
 */
export function randomKey(seed: number, stream: string, step = 0): RandomKey {
  const low = seed >>> 0;
  const high = Math.floor(seed / 2 ** 32) >>> 0;
  return threefry([low, high], hashName(stream), step);
}

/** A walk along one stream; plain functions over a growing counter. */
export interface RandomStream {
  /** Uniform in [0, 1), 53 random bits. */
  uniform(): number;
  /** Standard normal (Box and Muller 1958). */
  normal(): number;
  /** Integer in [0, n), n up to 2^53; every value equally likely up to n / 2^53. */
  below(n: number): number;
}

/** Starts at the first number of the stream that `key` selects. */
export function createRandomStream(key: RandomKey): RandomStream {
  let index = 0;
  const uniform = (): number => {
    const [a, b] = threefry(key, index >>> 0, Math.floor(index / 2 ** 32));
    index++;
    return ((a >>> 5) * 2 ** 26 + (b >>> 6)) / 2 ** 53;
  };
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  return { uniform, normal, below: (n) => Math.floor(uniform() * n) };
}
