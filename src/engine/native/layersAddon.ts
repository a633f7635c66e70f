/**
 * @file The addon's functions for layers in the form of LLaMA (Touvron et al. 2023): RMS norm, SwiGLU, rotary positions; argument by
 * argument as native/entries.h reads them.
 */

export interface LayersAddon {
  rmsNorm(x: Float32Array, gain: Float32Array, y: Float32Array, rows: number, columns: number, epsilon: number): void;
  rmsNormGrad(
    dy: Float32Array,
    x: Float32Array,
    gain: Float32Array,
    dx: Float32Array,
    dgain: Float32Array,
    rows: number,
    columns: number,
    epsilon: number,
  ): void;
  /** `x` is `[rows, 2 · columns]`: gates, then values. */
  swiglu(x: Float32Array, y: Float32Array, rows: number, columns: number): void;
  swigluGrad(dy: Float32Array, x: Float32Array, dx: Float32Array, rows: number, columns: number): void;
  /** `angles` is `[time, embed / heads]`: cosines, then sines. */
  rotary(
    qkv: Float32Array,
    angles: Float32Array,
    out: Float32Array,
    batch: number,
    time: number,
    embed: number,
    heads: number,
    inverse: boolean,
  ): void;
}
