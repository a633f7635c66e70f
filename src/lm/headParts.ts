/** @file A model's head with all that it needs: its own parameters and the model's output layer. */
import type { ModelConfig } from "./config.ts";
import type { HeadParts } from "./heads/head.ts";
import type { LanguageModel } from "./model.ts";

/** The head with its parameters and the output layer of a model. */
export const headParts = ({
  config,
  params,
}: Pick<LanguageModel, "config" | "params">): HeadParts<ModelConfig["head"], object> => ({
  config: config.head,
  params: params.head,
  output: { table: params.trunk.tokenEmbedding, softcap: config.output.softcap, ...params.output },
});
