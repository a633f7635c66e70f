/** @file The norms a transformer may have before its layers, by name. */
import type * as tf from "@tensorflow/tfjs";
import { layerNorm } from "../../../engine/ops/layerNorm.ts";
import { rmsNorm } from "../../../engine/ops/rmsNorm.ts";
import type { NE } from "../../../engine/shapes.ts";
import type { TransformerConfig } from "../../config.ts";
import type { Initializer } from "../../init.ts";

export interface NormParams {
  readonly gain: tf.Variable<tf.Rank.R1>; // [E]
  readonly bias?: tf.Variable<tf.Rank.R1>; // [E], where the norm has one
}

interface Norm {
  init(E: number, make: Initializer): NormParams;
  /** @param x - `[N, E]`, not disposed. @returns the same shape, owned by the caller. */
  apply(x: NE, params: NormParams): NE;
}

export const norms = {
  layer: {
    init: (E, make) => ({ gain: make.constant([E], 1), bias: make.constant([E], 0) }),
    apply: (x, { gain, bias }) => layerNorm(x, gain, bias!),
  },
  rms: {
    init: (E, make) => ({ gain: make.constant([E], 1) }),
    apply: (x, { gain }) => rmsNorm(x, gain),
  },
} satisfies Record<TransformerConfig["norm"], Norm>;
