/**
 * @file What a text does inside a transformer: where each head looks, and what each layer would say next.
 *
 * The logit lens (nostalgebraist 2020) reads the residual stream after each layer through the final normalisation and the
 * model's own head, as if the layers above did not exist.
 */
import * as tf from "@tensorflow/tfjs";
import { attentionWeights } from "../attention/attend.ts";
import { SandboxError } from "../engine/errors.ts";
import type { LanguageModel } from "../lm/model.ts";
import { windowStart } from "../lm/reader.ts";
import { trunkOf } from "../lm/trunks/table.ts";
import type { LayerStates } from "../lm/trunks/trunk.ts";

type ModelParts = Pick<LanguageModel, "config" | "params">;

/**
 * Attention weights of one head: row `t` says how position `t` looks at positions `0 … t`. Rows sum to 1 under softmax, sparsemax and
 * entmax15.
 */
export interface AttentionMap {
  readonly layer: number;
  readonly head: number;
  readonly layers: number;
  readonly heads: number;
  /** `[T][T]`, 0 where masked. */
  readonly weights: readonly Float32Array[];
}

/** The inside of a text. @throws {SandboxError} where the family has none. */
function layersOf({ config, params }: ModelParts, ids: readonly number[]): LayerStates {
  const trunk = trunkOf(config);
  if (trunk.inspectLayers === undefined)
    throw new SandboxError(
      `a model of kind ${config.kind} has no attention layers to look into`,
      "Load a transformer to see attention maps and the logit lens.",
    );
  const window = ids.slice(windowStart(ids.length, trunk.reach(config))); // what a reader sees of it
  const row = tf.tensor2d([...window], [1, window.length], "int32");
  const inside = trunk.inspectLayers(config, params.trunk, row);
  row.dispose();
  return inside;
}

/** Gives a function the inside of a text and frees it afterwards. */
async function withLayers<T>(
  model: ModelParts,
  ids: readonly number[],
  work: (inside: LayerStates) => Promise<T>,
): Promise<T> {
  const inside = layersOf(model, ids);
  try {
    return await work(inside);
  } finally {
    tf.dispose([...inside.states, ...inside.qkv]);
  }
}

/**
 * Where one head of one layer looks.
 *
 * @param ids - a text; of a longer one its end, as far as the context reaches.
 * @param layer - from 0; beyond the last it is the last, as `head`.
 */
export function attentionMap(
  model: ModelParts,
  ids: readonly number[],
  layer: number,
  head: number,
): Promise<AttentionMap> {
  return withLayers(model, ids, async ({ qkv, form }) => {
    const { heads } = form;
    const at = { layer: Math.min(layer, qkv.length - 1), head: Math.min(head, heads - 1) };
    const weights = attentionWeights(qkv[at.layer]!, form, at.head); // [T, T]
    const values = await weights.data<"float32">();
    const T = weights.shape[0];
    weights.dispose();
    const rows = Array.from({ length: T }, (_, t) => values.slice(t * T, (t + 1) * T));
    return { ...at, layers: qkv.length, heads, weights: rows };
  });
}

/** `log p` of the token after `ids`, read off after the embeddings and after each layer; the last is the model's own. */
export function logitLens(
  model: ModelParts & Pick<LanguageModel, "logProbs">,
  ids: readonly number[],
): Promise<readonly Float32Array[]> {
  return withLayers(model, ids, async ({ states }) => {
    const last = tf.tidy(() => tf.concat(states.map((state) => tf.slice(state, [state.shape[0] - 1, 0], [1, -1])))); // [L + 1, E]
    const logProbs = model.logProbs(last as Parameters<typeof model.logProbs>[0]); // [L + 1, V]
    const values = await logProbs.data<"float32">();
    const V = logProbs.shape[1];
    const rows = states.map((_, layer) => values.slice(layer * V, (layer + 1) * V));
    tf.dispose([last, logProbs]);
    return rows;
  });
}
