/** @file The native functions for texts that are read token by token; arguments as native/entries.h reads them. */

export interface ReadingAddon {
  /** `c = a · b (+ bias)` for at most 8 rows; b is stored as bfloat16. */
  matmulHalves(
    a: Float32Array,
    b: Uint16Array,
    c: Float32Array,
    m: number,
    n: number,
    k: number,
    transposeB: boolean,
    bias: Float32Array | null,
  ): void;
  /** As `linear`, for at most 8 rows and a kernel that is stored as bfloat16. */
  linearHalves(
    x: Float32Array,
    kernel: Uint16Array,
    bias: Float32Array | null,
    residual: Float32Array | null,
    slope: Float32Array | null,
    y: Float32Array,
    rows: number,
    inputs: number,
    outputs: number,
  ): void;
  /** `y = x` rounded to bfloat16, nearest even. */
  toHalves(x: Float32Array, y: Uint16Array, n: number): void;
  /** Keeps the keys and values of new positions, `[B, H, room, D]`; where `out` is given, these attend to all so far. */
  attentionStep(
    qkv: Float32Array,
    keys: Float32Array,
    values: Float32Array,
    out: Float32Array | null,
    batch: number,
    time: number,
    heads: number,
    size: number,
    start: number,
    room: number,
  ): void;
}
