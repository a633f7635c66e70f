/** @file The distributions of every token of a given text: what `score` shows. */
import * as tf from "@tensorflow/tfjs";
import type { NV } from "../engine/shapes.ts";
import { headParts } from "./headParts.ts";
import { headOf } from "./heads/table.ts";
import { type Ids, type ModelParts, readRows, windowStart } from "./reader.ts";
import { trunkOf } from "./trunks/table.ts";

/** A stretch of a text, and what was expected at each of its tokens. */
export interface Prediction {
  /** Index of the first token predicted. */
  readonly from: number;
  /** `log p` of what comes at `from`, `from + 1`, …, `[T, V]`. */
  readonly logProbs: NV;
}

/** Positions whose distributions are there at once. */
const stretch = 32;

/**
 * The distributions of every token of a text but the first, as a reader would have given them one by one; the text is
 * read in long strides. Each stretch's tensor is freed before the next one is made.
 */
export function* readText(model: ModelParts, ids: Ids): Generator<Prediction> {
  const { config, params } = model;
  const trunk = trunkOf(config);
  const head = headOf(config.head);
  const reach = trunk.reach(config);
  let start = 0;
  let memory = trunk.createMemory(config, params.trunk, 1);
  try {
    for (let seen = 0; seen < ids.length - 1; ) {
      const wanted = windowStart(seen + 1, reach);
      if (wanted !== start) {
        memory.dispose();
        memory = trunk.createMemory(config, params.trunk, 1);
        start = wanted;
        if (seen > start) readRows(memory, [ids.slice(start, seen)]).dispose();
      }
      const most = Math.min(stretch, reach - (seen - start), ids.length - 1 - seen);
      const logProbs = tf.tidy(() => {
        const states = readRows(memory, [ids.slice(seen, seen + most)]); // [T, E]
        return head.logProbs(headParts(model), states);
      });
      try {
        yield { from: seen + 1, logProbs };
      } finally {
        logProbs.dispose();
      }
      seen += most;
    }
  } finally {
    memory.dispose();
  }
}
