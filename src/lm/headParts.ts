/** @file A model's head with all that it needs: its own parameters and the model's output layer. */

import type { NE, NV } from "../engine/shapes.ts";
import type { ModelConfig } from "./config.ts";
import type { HeadParts } from "./heads/head.ts";
import { headOf } from "./heads/table.ts";
import type { LanguageModel } from "./model.ts";

/** The head with its parameters and the output layer of a model. */
export const headParts = ({
  config,
  params,
}: Pick<LanguageModel, "config" | "params">): HeadParts<ModelConfig["head"], object> => ({
  config: config.head,
  params: params.head,
  output: {
    table: params.trunk.tokenEmbedding,
    softcap: config.output.softcap,
    scale: config.output.scale,
    ...params.output,
  },
});

/** `log σ(z)` of a model whose head is independent sigmoids, `[N, V]` for hidden states `[N, E]`; undefined for other heads. */
export function sigmoidsOf(model: Pick<LanguageModel, "config" | "params">): ((hidden: NE) => NV) | undefined {
  if (model.config.head.kind !== "sigmoid") return undefined;
  return (hidden) => headOf(model.config.head).components!(headParts(model), hidden);
}
