/**
 * @file Reads texts and says what comes next, remembering what it has read.
 *
 * Asked about a text, it keeps the beginning that it shares with what it read last and reads the rest alone: a prompt in
 * one pass, then a token at a time; a step back, or a branch, costs one token. Several texts are read side by side.
 */
import * as tf from "@tensorflow/tfjs";
import { SandboxError } from "../engine/errors.ts";
import { keepHalves } from "../engine/ops/keepHalves.ts";
import { namedVariables } from "../engine/params.ts";
import type { NE } from "../engine/shapes.ts";
import { headParts } from "./headParts.ts";
import { headOf } from "./heads/table.ts";
import type { LanguageModel, NextToken } from "./model.ts";
import { trunkOf } from "./trunks/table.ts";
import type { Memory } from "./trunks/trunk.ts";

export type Ids = readonly number[];
export type ModelParts = Pick<LanguageModel, "config" | "params">;

/** Whoever made it disposes it, before the model. One question at a time. */
export interface Reader {
  /** The distribution after `ids`. @throws {SandboxError} for no ids at all. */
  next(ids: Ids): Promise<NextToken>;
  /** The same for several texts of one length. */
  nextOfEach(texts: readonly Ids[]): Promise<NextToken[]>;
  dispose(): void;
}

/**
 * Where the part of a text that is seen begins. A text that fits is seen whole. Beyond that the window moves on by a
 * quarter of the context at a time, so between three quarters and the whole of the context are seen: to move by one
 * would change every position, and all would have to be read again for every token.
 *
 * @param length - tokens of the text.
 * @param reach - the context length, or Infinity.
 */
export function windowStart(length: number, reach: number): number {
  if (length <= reach) return 0;
  const hop = Math.max(1, Math.floor(reach / 4));
  return Math.ceil((length - reach) / hop) * hop;
}

/** How many ids two texts have in common at their beginning. */
function sharedLength(a: Ids, b: Ids): number {
  const most = Math.min(a.length, b.length);
  for (let i = 0; i < most; i++) if (a[i] !== b[i]) return i;
  return most;
}

/** What has been read: texts of one length from `start` on, each in its row of the memory. */
interface Shelf {
  readonly memory: Memory;
  readonly start: number;
  texts: readonly Ids[];
}

export function createReader(model: ModelParts): Reader {
  const { config, params } = model;
  const trunk = trunkOf(config);
  const reach = trunk.reach(config);
  let shelf: Shelf | undefined;

  const shelfFor = (start: number): Shelf => {
    if (shelf?.start === start) return shelf;
    shelf?.memory.dispose();
    shelf = { memory: trunk.createMemory(config, params.trunk, 1), start, texts: [[]] };
    return shelf;
  };
  const nextOfEach = async (texts: readonly Ids[]): Promise<NextToken[]> => {
    const length = texts[0]?.length ?? 0;
    if (length === 0)
      throw new SandboxError("prompt: expected at least one token, got none", "Give some text to go on from.");
    if (texts.some((text) => text.length !== length))
      throw new RangeError(`reader: texts must have one length, got ${texts.map((text) => text.length)}`);
    const start = windowStart(length, reach);
    const seen = texts.map((text) => text.slice(start));
    const states = lastStates(shelfFor(start), seen);
    return describe(model, states, start > 0).finally(() => states.dispose());
  };

  return {
    next: async (ids) => (await nextOfEach([ids]))[0]!,
    nextOfEach,
    dispose: () => {
      shelf?.memory.dispose();
      shelf = undefined;
    },
  };
}

/** Reads what the rows of a shelf lack of `texts`: `[rows · T, E]`. */
function read(on: Shelf, texts: readonly Ids[]): NE {
  const rows = texts.map((text) => text.slice(on.memory.length));
  on.texts = texts; // before reading: should that fail, what is kept is shorter than this, never other
  return readRows(on.memory, rows);
}

/** Reads rows of ids of one length into a memory; the caller owns the hidden states. */
export const readRows = (memory: Memory, rows: readonly Ids[]): NE =>
  tf.tidy(() => memory.read(tf.tensor2d(rows.flat(), [rows.length, rows[0]!.length], "int32")));

/** Arranges the rows so that each holds the longest beginning of its text that is there; one token at least is left to read. */
function arrange({ memory, texts: old }: Shelf, texts: readonly Ids[]): void {
  const kept = old.map((text) => text.slice(0, memory.length));
  const best = texts.map((text) => {
    const shared = kept.map((known) => Math.min(sharedLength(known, text), text.length - 1));
    const length = Math.max(...shared);
    return { row: shared.indexOf(length), length };
  });
  const length = Math.min(...best.map((one) => one.length));
  const rows = length === 0 ? [0] : best.map(({ row }) => row);
  if (rows.length !== kept.length || rows.some((row, i) => row !== i)) memory.select(rows);
  memory.cut(length);
}

/** Hidden states after the last token of each text, `[rows, E]`. */
function lastStates(on: Shelf, texts: readonly Ids[]): NE {
  arrange(on, texts);
  if (on.memory.length === 0 && texts.length > 1) {
    const common = Math.min(...texts.map((text) => sharedLength(text, texts[0]!)), texts[0]!.length - 1);
    if (common > 0) read(on, [texts[0]!.slice(0, common)]).dispose(); // what all share is read once
    on.memory.select(texts.map(() => 0));
  }
  const states = read(on, texts); // [rows · T, E]
  const T = states.shape[0] / texts.length;
  if (T === 1) return states;
  const last = tf.tidy(() => {
    const split = tf.reshape(states, [texts.length, T, states.shape[1]]); // [rows, T, E]
    return tf.reshape(tf.slice(split, [0, T - 1, 0], [-1, 1, -1]), [texts.length, states.shape[1]]); // [rows, E]
  });
  states.dispose();
  return last as NE;
}

/** What the head makes of hidden states `[rows, E]`, in plain data. */
async function describe(model: ModelParts, states: NE, windowed: boolean): Promise<NextToken[]> {
  const head = headOf(model.config.head);
  const parts = headParts(model);
  const logProbs = head.logProbs(parts, states); // [rows, V]
  const insights = tf.tidy(() => {
    const rows = tf.unstack(states).map((row) => tf.reshape<tf.Rank.R2>(row, [1, -1]));
    return rows.map((row) => ({ ...head.inspect(parts, row) }) as tf.NamedTensorMap);
  });
  const V = logProbs.shape[1];
  const values = await logProbs.data<"float32">();
  const weights = await Promise.all(insights.map(plainInsight));
  const found = Array.from({ length: logProbs.shape[0] }, (_, row) => {
    return { logProbs: values.slice(row * V, (row + 1) * V), ...weights[row], windowed };
  });
  tf.dispose([logProbs, ...insights]);
  return found;
}

/** What a head shows of its inside, as numbers. */
async function plainInsight(insight: tf.NamedTensorMap): Promise<Pick<NextToken, "mixture" | "clusters">> {
  const read = Object.entries(insight).map(async ([name, x]) => [name, Array.from(await x.data())] as const);
  return Object.fromEntries(await Promise.all(read));
}

/** Lets the engine keep a model's matrices as it reads them fastest: as bfloat16, where products round to that. Once is enough. */
export function prepareForReading({ params }: ModelParts): void {
  for (const variable of namedVariables(params).values()) if (variable.rank === 2) keepHalves(variable);
}
