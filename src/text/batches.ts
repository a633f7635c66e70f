/** @file From ids to batches. Axes: B rows, T time steps. Plain typed arrays, row after row; knows no tensors. */
import { SandboxError } from "../engine/errors.ts";
import { createRandomStream, randomKey } from "../engine/random.ts";

export interface Batch {
  /** Ids, [B, T]. */
  readonly inputs: Int32Array;
  /** The id that follows each input, [B, T]. */
  readonly targets: Int32Array;
  /** B. */
  readonly batchSize: number;
  /** T. */
  readonly contextLength: number;
  /** Each row goes on where the same row of the batch before ended; otherwise all rows begin anew. */
  readonly continues?: boolean;
}

/** B and T. */
export interface BatchSize {
  readonly batchSize: number;
  readonly contextLength: number;
}

/**
 * One batch of training windows, each offset equally likely: a pure function of its arguments.
 *
 * @throws {SandboxError} if `ids` holds no whole window (T + 1 ids).
 */
export function randomBatch(ids: Int32Array, options: BatchSize & { seed: number; step: number }): Batch {
  const { seed, step, batchSize, contextLength } = options;
  const windows = ids.length - contextLength;
  if (windows < 1) throw new SandboxError(tooFew(ids.length, contextLength), "Use a shorter context or more text.");
  const random = createRandomStream(randomKey(seed, "batch", step));
  const offsets = Array.from({ length: batchSize }, () => random.below(windows));
  return gather(ids, offsets, contextLength);
}

/**
 * Contiguous windows in order: every id but the first is a target exactly once, always with what precedes it in its
 * window as context. All batches have T columns; only the last of them may have fewer rows, and what is left at the end,
 * less than a window, follows as a batch of one shorter row.
 *
 * @param options.maxTokens - at most so many targets (but at least one window): whole windows, spread evenly.
 */
export function* evaluationBatches(
  ids: Int32Array,
  options: BatchSize & { maxTokens?: number | undefined },
): Generator<Batch> {
  const { batchSize, contextLength, maxTokens = Number.POSITIVE_INFINITY } = options;
  const targets = Math.max(0, ids.length - 1);
  const whole = Math.floor(targets / contextLength);
  const kept = maxTokens < targets ? Math.min(whole, Math.max(1, Math.floor(maxTokens / contextLength))) : whole;
  for (let done = 0; done < kept; done += batchSize) {
    const rows = Math.min(batchSize, kept - done);
    const offsets = Array.from({ length: rows }, (_, row) => Math.floor(((done + row) * whole) / kept) * contextLength);
    yield gather(ids, offsets, contextLength);
  }
  const rest = targets - whole * contextLength;
  if (rest > 0 && (kept === 0 || targets <= maxTokens)) yield gather(ids, [whole * contextLength], rest);
}

/** Rows of `contextLength` ids from each offset on, and what follows each. */
export function gather(ids: Int32Array, offsets: readonly number[], contextLength: number): Batch {
  const inputs = new Int32Array(offsets.length * contextLength); // [B, T]
  const targets = new Int32Array(offsets.length * contextLength); // [B, T]
  for (const [row, offset] of offsets.entries()) {
    inputs.set(ids.subarray(offset, offset + contextLength), row * contextLength);
    targets.set(ids.subarray(offset + 1, offset + 1 + contextLength), row * contextLength);
  }
  return { inputs, targets, batchSize: offsets.length, contextLength };
}

/** What is wrong with a text that holds no window. */
export const tooFew = (tokens: number, contextLength: number, what = "text"): string =>
  `${what}: must hold at least ${contextLength + 1} tokens (a context of ${contextLength} and one to predict), got ${tokens}`;
