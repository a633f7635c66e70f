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

interface FeedForward {
  /** @param residual - standard deviation of what feeds the residual sum. */
  init(name: string, E: number, residual: number, make: Initializer): FeedForwardParams;
  /**
   * @param x - `[N, E]`, not disposed.
   * @param residual - `[N, E]`, added where there is one.
   * @returns `[N, E]`, owned by the caller.
   */
  apply(x: NE, params: FeedForwardParams, residual?: NE): NE;
}

/** Width F of SwiGLU: about as many parameters, `3 E F`, as `8 E²` of a plain layer; a multiple of 8. */
const gatedWidth = (E: number): number => 8 * Math.ceil(E / 3);

export const feedForwards = {
  /** `GELU(x W₁ + b₁) W₂ + b₂`, four times as wide in between. */
  gelu: {
    init: (name, E, residual, make) => ({
      expand: make.linear(`${name}.expand`, E, 4 * E, standardDeviation),
      contract: make.linear(`${name}.contract`, 4 * E, E, residual),
    }),
    apply: (x, { expand, contract }, residual) => {
      const wide = linearGelu(x, expand.kernel, expand.bias); // [N, 4E]
      return linear(wide, contract.kernel, contract.bias, residual);
    },
  },
  /** `SwiGLU(x W₁ + b₁) W₂ + b₂`; W₁ makes gates and values side by side. */
  swiglu: {
    init: (name, E, residual, make) => ({
      expand: make.linear(`${name}.expand`, E, 2 * gatedWidth(E), standardDeviation),
      contract: make.linear(`${name}.contract`, gatedWidth(E), E, residual),
    }),
    apply: (x, { expand, contract }, residual) => {
      const wide = swiglu(linear(x, expand.kernel, expand.bias)); // [N, F]
      return linear(wide, contract.kernel, contract.bias, residual);
    },
  },
} satisfies Record<TransformerConfig["feedForward"], FeedForward>;
