/** @file The feed-forward layers a transformer may have, by name; each widens, bends and narrows a row. */
import type { LinearParams } from "../../../attention/selfAttention.ts";
import { linear, linearGelu } from "../../../engine/ops/linear.ts";
import { swiglu } from "../../../engine/ops/swiglu.ts";
import type { NE } from "../../../engine/shapes.ts";
import type { TransformerConfig } from "../../config.ts";
import { type Initializer, standardDeviation } from "../../init.ts";

export interface FeedForwardParams {
  readonly expand: LinearParams;
  readonly contract: LinearParams;
}

/** Sizes of one layer: features E, width F in between; `residual` is the deviation of what feeds the residual sum. */
interface FeedForwardSizes {
  readonly E: number;
  readonly F: number;
  readonly residual: number;
}

interface FeedForward {
  /** F where the configuration does not say. */
  usualSize(E: number): number;
  init(name: string, sizes: FeedForwardSizes, make: Initializer): FeedForwardParams;
  /**
   * @param x - `[N, E]`, not disposed.
   * @param residual - `[N, E]`, added where there is one.
   * @returns `[N, E]`, owned by the caller.
   */
  apply(x: NE, params: FeedForwardParams, residual?: NE): NE;
}

export const feedForwards = {
  /** `GELU(x W₁ + b₁) W₂ + b₂`, four times as wide in between. */
  gelu: {
    usualSize: (E) => 4 * E,
    init: (name, { E, F, residual }, make) => ({
      expand: make.linear(`${name}.expand`, E, F, standardDeviation),
      contract: make.linear(`${name}.contract`, F, E, residual),
    }),
    apply: (x, { expand, contract }, residual) => {
      const wide = linearGelu(x, expand.kernel, expand.bias); // [N, F]
      return linear(wide, contract.kernel, contract.bias, residual);
    },
  },
  /** `SwiGLU(x W₁ + b₁) W₂ + b₂`; W₁ makes gates and values side by side. */
  swiglu: {
    usualSize: (E) => 8 * Math.ceil(E / 3), // about as many parameters, 3 E F, as 8 E² of a plain layer; a multiple of 8
    init: (name, { E, F, residual }, make) => ({
      expand: make.linear(`${name}.expand`, E, 2 * F, standardDeviation),
      contract: make.linear(`${name}.contract`, F, E, residual),
    }),
    apply: (x, { expand, contract }, residual) => {
      const wide = swiglu(linear(x, expand.kernel, expand.bias)); // [N, F]
      return linear(wide, contract.kernel, contract.bias, residual);
    },
  },
} satisfies Record<TransformerConfig["feedForward"], FeedForward>;

/** Width F of a configuration's feed-forward layers. */
export const feedForwardSizeOf = ({
  embedSize,
  feedForward,
  feedForwardSize,
}: Pick<TransformerConfig, "embedSize" | "feedForward"> & { readonly feedForwardSize?: number | undefined }): number =>
  feedForwardSize ?? feedForwards[feedForward].usualSize(embedSize);
