/** @file What a model thinks of every token of a given text. */
import { setImmediate } from "node:timers/promises";
import { SandboxError } from "../engine/errors.ts";
import type { LanguageModel } from "../lm/model.ts";
import { readText } from "../lm/readText.ts";
import { rankOf } from "../sampling/distribution.ts";
import { createField } from "../sampling/field.ts";

/** One token of a text. */
export interface TokenScore {
  /** Index in the text; the first token, before which nothing was seen, has no score. */
  readonly position: number;
  readonly id: number;
  /** `log p`, nats. */
  readonly logProb: number;
  /** `−log p`, nats. */
  readonly surprise: number;
  /** 1 where it was the likeliest. */
  readonly rank: number;
  /** Of the distribution that it was expected with, nats. */
  readonly entropy: number;
}

/**
 * Scores every token of a text but the first, with the context that a generated text would have had.
 *
 * @throws {SandboxError} for fewer than two tokens.
 */
export async function* scoreTokens(model: LanguageModel, ids: readonly number[]): AsyncGenerator<TokenScore> {
  if (ids.length < 2)
    throw new SandboxError(`score: expected at least 2 tokens, got ${ids.length}`, "Give a longer text.");
  for (const { from, logProbs } of readText(model, ids)) {
    const [rows, V] = logProbs.shape;
    const values = (await logProbs.data<"float32">()).slice();
    for (let row = 0; row < rows; row++) {
      const field = createField(values.subarray(row * V, (row + 1) * V));
      const id = ids[from + row]!;
      const logProb = field.scores[id]!;
      yield {
        position: from + row,
        id,
        logProb,
        surprise: -logProb,
        rank: rankOf(field, id),
        entropy: field.sums().entropy,
      };
    }
    await setImmediate();
  }
}
