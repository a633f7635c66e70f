/** @file What the compiled engine offers for recurrent layers: B rows, T steps, U units; shapes as in src/engine/ops/. */

export interface RecurrentAddon {
  lstm(
    gates: Float32Array,
    kernel: Float32Array,
    hidden: Float32Array,
    cell: Float32Array,
    output: Float32Array,
    finalCell: Float32Array,
    trace: Float32Array,
    batch: number,
    time: number,
    units: number,
  ): void;
  lstmGrad(
    dOutput: Float32Array,
    kernel: Float32Array,
    hidden: Float32Array,
    cell: Float32Array,
    output: Float32Array,
    trace: Float32Array,
    dGates: Float32Array,
    dKernel: Float32Array,
    dHidden: Float32Array,
    dCell: Float32Array,
    batch: number,
    time: number,
    units: number,
  ): void;
  gru(
    gates: Float32Array,
    kernel: Float32Array,
    bias: Float32Array,
    hidden: Float32Array,
    output: Float32Array,
    trace: Float32Array,
    batch: number,
    time: number,
    units: number,
  ): void;
  gruGrad(
    dOutput: Float32Array,
    kernel: Float32Array,
    hidden: Float32Array,
    output: Float32Array,
    trace: Float32Array,
    dGates: Float32Array,
    dKernel: Float32Array,
    dBias: Float32Array,
    dHidden: Float32Array,
    batch: number,
    time: number,
    units: number,
  ): void;
}
