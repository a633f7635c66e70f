/** @file Every family of models there is. A new one is a new file and one line here. */
import type { ModelConfig } from "../config.ts";
import { recurrentTrunk } from "./recurrent.ts";
import { transformerTrunk } from "./transformer.ts";
import type { Trunk, TrunkParams } from "./trunk.ts";

const trunks = {
  transformer: transformerTrunk,
  lstm: recurrentTrunk,
  gru: recurrentTrunk,
} satisfies { [K in ModelConfig["kind"]]: unknown };

/** The trunk that a configuration names. Its parameters fit no other, hence the erased types. */
export const trunkOf = (config: ModelConfig): Trunk<ModelConfig, TrunkParams> =>
  trunks[config.kind] as unknown as Trunk<ModelConfig, TrunkParams>;
