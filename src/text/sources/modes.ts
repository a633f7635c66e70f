/**
 * @file A source made for the softmax bottleneck: a Markov chain over S symbols whose next-symbol log-probabilities have a known,
 * high rank.
 *
 *     log p(v | c) = sharpness · a_c · b_v / √R − log Σ_u exp(…),     a_c, b_v ∈ ℝ^R, standard normal, fixed by the seed
 *
 * The S × S matrix of logits has inner size R, the normaliser adds one column times a row of ones: the log-probabilities have
 * rank R + 1 (if that is at most S), far above what a narrow softmax can express. What comes next depends on one symbol alone,
 * so every trunk can see all there is to know.
 */
import { z } from "zod";
import { createRandomStream, type RandomStream, randomKey } from "../../engine/random.ts";
import type { Continuation, KnownSource } from "../knownEntropy.ts";

const alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

export const modesSource = z.strictObject({
  type: z.literal("modes"),
  symbols: z.int().min(2).max(alphabet.length).describe("distinct characters (S)"),
  modes: z.int().positive().max(1000).describe("inner size of the logits (R)"),
  sharpness: z.number().positive().max(100).describe("standard deviation of the logits"),
  characters: z.int().positive(),
  seed: z.int().min(0),
});
export type ModesSource = z.infer<typeof modesSource>;

export interface Modes {
  /** Symbol of each id. */
  readonly symbols: readonly string[];
  /** `log p(v | c)`, a row a context. */
  readonly logProbs: readonly Float64Array[];
  /** The share of time that the chain spends at each symbol. */
  readonly stationary: Float64Array;
}

export function createModes({
  symbols: S,
  modes: R,
  sharpness,
  seed,
}: Omit<ModesSource, "type" | "characters">): Modes {
  const random = createRandomStream(randomKey(seed, "modes"));
  const [a, b] = [S * R, S * R].map((n) => Float64Array.from({ length: n }, () => random.normal())) as [
    Float64Array,
    Float64Array,
  ];
  const logProbs = Array.from({ length: S }, (_, c) => {
    const logits = Float64Array.from({ length: S }, (_, v) => {
      let dot = 0;
      for (let r = 0; r < R; r++) dot += a[c * R + r]! * b[v * R + r]!;
      return (sharpness * dot) / Math.sqrt(R);
    });
    const largest = Math.max(...logits);
    const logSum = largest + Math.log(logits.reduce((sum, z) => sum + Math.exp(z - largest), 0));
    return logits.map((z) => z - logSum);
  });
  return { symbols: [...alphabet].slice(0, S), logProbs, stationary: stationaryOf(logProbs) };
}

/** Walks the chain; every symbol is possible after every other, so it forgets where it began. */
function stationaryOf(logProbs: readonly Float64Array[]): Float64Array {
  const S = logProbs.length;
  let share = new Float64Array(S).fill(1 / S);
  for (let round = 0; round < 1000; round++) {
    const next = new Float64Array(S);
    for (const [c, row] of logProbs.entries()) for (let v = 0; v < S; v++) next[v]! += share[c]! * Math.exp(row[v]!);
    share = next;
  }
  return share;
}

/** The id that `uniform` in [0, 1) falls on. */
function drawFrom(probabilities: (v: number) => number, S: number, random: RandomStream): number {
  let left = random.uniform();
  for (let v = 0; v < S - 1; v++) {
    left -= probabilities(v);
    if (left < 0) return v;
  }
  return S - 1;
}

/** Ids of a walk along the chain: a pure function of its arguments. */
export function walkModes({ logProbs, stationary }: Modes, length: number, seed: number): Int32Array {
  const random = createRandomStream(randomKey(seed, "modes/walk"));
  const ids = new Int32Array(length);
  for (let i = 0; i < length; i++) {
    const row = i === 0 ? undefined : logProbs[ids[i - 1]!]!;
    ids[i] = drawFrom((v) => (row ? Math.exp(row[v]!) : stationary[v]!), stationary.length, random);
  }
  return ids;
}

export const writeModes = (modes: Modes, characters: number, seed: number): string =>
  Array.from(walkModes(modes, characters, seed), (id) => modes.symbols[id]!).join("");

/** What is exactly known of the chain's text. */
export function modesTruth({ symbols, logProbs, stationary }: Modes): KnownSource {
  const idOf = new Map(symbols.map((symbol, id) => [symbol, id]));
  const entropies = logProbs.map((row) => -row.reduce((sum, logProb) => sum + Math.exp(logProb) * logProb, 0));
  const natsPerCharacter = entropies.reduce((sum, nats, c) => sum + stationary[c]! * nats, 0);
  const rowAfter = (id: number | undefined): Float64Array =>
    id === undefined ? stationary.map(Math.log) : logProbs[id]!;
  const nats = (text: string): number => {
    let sum = 0;
    let last: number | undefined;
    for (const symbol of text) {
      const id = idOf.get(symbol);
      if (id === undefined) return Number.POSITIVE_INFINITY;
      sum -= rowAfter(last)[id]!;
      last = id;
    }
    return sum;
  };
  const nextCharacters = (prefix: string): Continuation[] => {
    if (!Number.isFinite(nats(prefix))) return [];
    const row = rowAfter(idOf.get(prefix.at(-1) ?? ""));
    return symbols.map((text, id) => ({ text, probability: Math.exp(row[id]!) }));
  };
  return { natsPerCharacter, bitsPerByte: natsPerCharacter / Math.LN2, nats, nextCharacters };
}
