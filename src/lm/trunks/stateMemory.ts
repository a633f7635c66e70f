/**
 * @file The memory of families that carry a state of fixed size: the states at the start, before the last token and after it. Asking
 * about a text again, or with another last token, costs one step; going further back, reading from the start in one pass.
 */
import * as tf from "@tensorflow/tfjs";
import type { BT } from "../../engine/shapes.ts";
import type { HiddenStates, Memory, State } from "./trunk.ts";

/** The state after the first `length` tokens. */
interface Mark {
  readonly length: number;
  readonly state: State;
}

/**
 * A memory of texts that are empty yet.
 *
 * @param start - the state at their start; the memory disposes it.
 * @param read - runs the family from a state; the memory owns the state that comes back.
 */
export function createStateMemory(start: State, read: (ids: BT, state: State) => HiddenStates): Memory {
  let marks: Mark[] = [{ length: 0, state: start.map((part) => tf.keep(part)) }];
  const last = (): Mark => marks.at(-1)!;
  const drop = (dropped: readonly Mark[]): void => tf.dispose(dropped.flatMap(({ state }) => [...state]));
  const readPiece = (ids: BT) => {
    const { hidden, state } = read(ids, last().state);
    marks.push({ length: last().length + ids.shape[1], state: state.map((part) => tf.keep(part)) });
    if (marks.length > 3) drop(marks.splice(1, 1));
    return hidden;
  };
  return {
    get length() {
      return last().length;
    },
    read: (ids) => {
      const [B, T] = ids.shape;
      if (T === 1) return readPiece(ids);
      // The last token is read on its own, so that there is a state before it.
      return tf.tidy(() => {
        const [first, rest] = [
          readPiece(tf.slice(ids, [0, 0], [B, T - 1])),
          readPiece(tf.slice(ids, [0, T - 1], [B, 1])),
        ];
        const E = first.shape[1];
        const rows = tf.concat([tf.reshape(first, [B, T - 1, E]), tf.reshape(rest, [B, 1, E])], 1); // [B, T, E]
        return tf.reshape(rows, [B * T, E]);
      });
    },
    cut: (length) => {
      const keep = marks.findLastIndex((mark) => mark.length <= length);
      drop(marks.splice(keep + 1));
    },
    select: (rows) => {
      const index = tf.tensor1d([...rows], "int32");
      const chosen = marks.map(({ length, state }) => ({
        length,
        state: state.map((part) => tf.keep(tf.gather(part, index))),
      }));
      index.dispose();
      drop(marks);
      marks = chosen;
    },
    dispose: () => {
      drop(marks);
      marks = [];
    },
  };
}
