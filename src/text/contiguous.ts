/**
 * @file Text that is read on: rows of a batch go on where the same rows of the batch before ended, so that a model may carry its
 * state along (truncated back-propagation through time). Plain typed arrays; knows no tensors.
 */
import { SandboxError } from "../engine/errors.ts";
import { createRandomStream, randomKey } from "../engine/random.ts";
import { type Batch, type BatchSize, gather, tooFew } from "./batches.ts";

export interface ContiguousOptions extends BatchSize {
  readonly seed: number;
  /** Whether all batches have T columns, or numbers drawn around T, so that cuts fall elsewhere in every epoch. */
  readonly lengths: "fixed" | "random";
}

/** Where a batch stands. */
interface Cursor {
  /** From 0, over all epochs. */
  readonly index: number;
  readonly epoch: number;
  /** Of the batch within its epoch, from 0. */
  readonly turn: number;
  /** Tokens of a row before this batch. */
  readonly position: number;
}

/** Shortest random length. */
const shortest = 5;

/**
 * Mostly around T, one time in twenty around T / 2; deviation 5 (Merity, Keskar and Socher 2018, https://arxiv.org/abs/1708.02182,
 * section 4.1). A function of seed, epoch and turn.
 */
function randomLength(T: number, seed: number, { epoch, turn }: Cursor): number {
  const random = createRandomStream(randomKey(seed, `length/${epoch}`, turn));
  const base = random.uniform() < 0.95 ? T : T / 2;
  return Math.max(Math.min(shortest, T), Math.round(base + 5 * random.normal()));
}

/**
 * Training batches of contiguous text: the text is cut in B rows, read side by side, over and over. The last batch of an epoch
 * may have fewer columns; what does not fill a column of all rows is left out.
 *
 * @returns the batch of any index from 0, a pure function of the arguments.
 * @throws {SandboxError} if `ids` holds no whole batch.
 */
export function createContiguousBatches(ids: Int32Array, options: ContiguousOptions): (index: number) => Batch {
  const { batchSize: B, contextLength: T, seed, lengths } = options;
  const rowLength = Math.floor((ids.length - 1) / B); // targets of a row
  if (rowLength < T)
    throw new SandboxError(
      tooFew(ids.length, B * T),
      "Use a smaller batch, a shorter context or more text: rows are read on side by side.",
    );
  const first: Cursor = { index: 0, epoch: 0, turn: 0, position: 0 };
  const lengthAt = (cursor: Cursor): number =>
    Math.min(rowLength - cursor.position, lengths === "fixed" ? T : randomLength(T, seed, cursor));
  const after = (cursor: Cursor): Cursor => {
    const { index, epoch, turn } = cursor;
    const position = cursor.position + lengthAt(cursor);
    if (position === rowLength) return { index: index + 1, epoch: epoch + 1, turn: 0, position: 0 };
    return { index: index + 1, epoch, turn: turn + 1, position };
  };
  let cursor = first; // remembers where the last batch stood: what comes next is asked for next
  return (index) => {
    if (index < cursor.index) cursor = first;
    while (cursor.index < index) cursor = after(cursor);
    const offsets = Array.from({ length: B }, (_, row) => row * rowLength + cursor.position);
    return { ...gather(ids, offsets, lengthAt(cursor)), continues: cursor.turn > 0 };
  };
}

/**
 * Batches for evaluation with carried state: every id but the first is a target exactly once. The text is cut in at most B rows
 * that are read on side by side; what is left at the end, less than a column, follows as one short row.
 *
 * @param options.maxTokens - at most so many targets (but one at least), in rows that start evenly spread.
 */
export function* contiguousEvaluationBatches(
  ids: Int32Array,
  options: BatchSize & { maxTokens?: number | undefined },
): Generator<Batch> {
  const { batchSize, contextLength: T, maxTokens = Number.POSITIVE_INFINITY } = options;
  const targets = Math.max(0, ids.length - 1);
  const wanted = Math.min(targets, maxTokens);
  const rows = Math.min(batchSize, wanted);
  if (rows === 0) return;
  const rowLength = Math.floor(wanted / rows);
  const starts = Array.from({ length: rows }, (_, row) =>
    Math.floor(row * (wanted < targets ? targets / rows : rowLength)),
  );
  for (let position = 0; position < rowLength; position += T) {
    const offsets = starts.map((start) => start + position);
    yield { ...gather(ids, offsets, Math.min(T, rowLength - position)), continues: position > 0 };
  }
  const rest = wanted === targets ? targets - rows * rowLength : 0;
  if (rest > 0) yield gather(ids, [rows * rowLength], rest);
}
