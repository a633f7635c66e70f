/** @file What a report shows of a run's model itself, as plain data; whoever has tensors makes it. */
import type { Spectrum } from "../../analysis/spectrum.ts";
import type { Reliability } from "../../calibration/reliability.ts";

/** Where one head looks, over a short text. */
export interface HeadMap {
  /** From 0. */
  readonly layer: number;
  readonly head: number;
  /** `[T][T]`: row t says how position t looks at positions 0 … t; 0 where masked. */
  readonly weights: readonly (readonly number[])[];
}

export interface Attention {
  /** The text, a name a token. */
  readonly tokens: readonly string[];
  readonly maps: readonly HeadMap[];
  /** Of the whole model; `maps` may be some of its heads. */
  readonly layers: number;
  readonly heads: number;
}

export interface ModelFigures {
  /** Of the checkpoint. */
  readonly step: number;
  /** The text: corpus and split. */
  readonly text: string;
  readonly reliability: Reliability;
  readonly spectrum: {
    readonly spectrum: Spectrum;
    /** What the head allows; absent where it sets no bound. */
    readonly bound?: number | undefined;
    readonly contexts: number;
    readonly tokens: number;
  };
  /** Absent for families without attention. */
  readonly attention?: Attention;
}

/** A run's figures, or why there are none. */
export type FiguresOrReason = { readonly figures: ModelFigures } | { readonly reason: string };
