/** @file What stands beside a head's distribution: the softmaxes that a mixture mixes, or independent sigmoids. */
import * as tf from "@tensorflow/tfjs";
import { headParts } from "../lm/headParts.ts";
import { headOf } from "../lm/heads/table.ts";
import type { LanguageModel } from "../lm/model.ts";
import { windowStart } from "../lm/reader.ts";
import { trunkOf } from "../lm/trunks/table.ts";

/**
 * The `log p` of each component after a text, a row each, `[V]`; none where the head has no components.
 *
 * @param ids - at least one; of a text longer than the context its end, as a reader sees it.
 */
export async function headComponents(
  { config, params, hidden }: Pick<LanguageModel, "config" | "params" | "hidden">,
  ids: readonly number[],
): Promise<readonly Float32Array[]> {
  const head = headOf(config.head);
  if (head.components === undefined) return [];
  const window = ids.slice(windowStart(ids.length, trunkOf(config).reach(config)));
  const logProbs = tf.tidy(() => {
    const states = hidden(tf.tensor2d([...window], [1, window.length], "int32")); // [T, E]
    const last = tf.slice(states, [window.length - 1, 0], [1, -1]); // [1, E]
    return head.components!(headParts({ config, params }), last); // [K, V]
  });
  const values = await logProbs.data<"float32">();
  const [K, V] = logProbs.shape;
  logProbs.dispose();
  return Array.from({ length: K }, (_, k) => values.slice(k * V, (k + 1) * V));
}
