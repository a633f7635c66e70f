/** @file Fused kernels of recurrent layers: LSTM and GRU over whole sequences, and dropout with one mask a sequence. */

import { floatInput, type NativeKernel, shapeOf, type Tensors } from "./kernel.ts";
import { binaryOperations } from "./kernels-elementwise.ts";

interface Sizes {
  readonly B: number;
  readonly T: number;
  readonly U: number;
}

/** Sizes from an array `[B, T, …]` and the recurrent weights, which must be `[U, gates · U]`. */
function sizesOf(
  where: string,
  sequence: Tensors[string] | undefined,
  kernel: Tensors[string] | undefined,
  gates: number,
): Sizes {
  const [B, T] = shapeOf(where, sequence, 3) as [number, number, number];
  const [U, width] = shapeOf(`${where} kernel`, kernel, 2) as [number, number];
  if (width !== gates * U) throw new RangeError(`${where} kernel: expected [U, ${gates} U], got [${U}, ${width}]`);
  if (B * T * U === 0) throw new RangeError(`${where}: expected at least one row, step and unit, got ${B}, ${T}, ${U}`);
  return { B, T, U };
}

const lstm: NativeKernel = (backend, { gates, kernel, hidden, cell }) => {
  const where = "SoftboxLstm";
  const { B, T, U } = sizesOf(where, gates, kernel, 4);
  const [output, finalCell, trace] = [
    [B, T, U],
    [B, U],
    [B, T, 5 * U],
  ].map((shape) => backend.newFloats(shape));
  backend.addon.lstm(
    floatInput(backend, `${where} gates`, gates, 4 * B * T * U),
    floatInput(backend, `${where} kernel`, kernel),
    floatInput(backend, `${where} hidden`, hidden, B * U),
    floatInput(backend, `${where} cell`, cell, B * U),
    output!.values,
    finalCell!.values,
    trace!.values,
    B,
    T,
    U,
  );
  return [output!.info, finalCell!.info, trace!.info];
};

const lstmGrad: NativeKernel = (backend, { dOutput, kernel, hidden, cell, output, trace }) => {
  const where = "SoftboxLstmGrad";
  const { B, T, U } = sizesOf(where, dOutput, kernel, 4);
  const shapes = [
    [B, T, 4 * U],
    [U, 4 * U],
    [B, U],
    [B, U],
  ];
  const [dGates, dKernel, dHidden, dCell] = shapes.map((shape) => backend.newFloats(shape));
  backend.addon.lstmGrad(
    floatInput(backend, `${where} dOutput`, dOutput, B * T * U),
    floatInput(backend, `${where} kernel`, kernel),
    floatInput(backend, `${where} hidden`, hidden, B * U),
    floatInput(backend, `${where} cell`, cell, B * U),
    floatInput(backend, `${where} output`, output, B * T * U),
    floatInput(backend, `${where} trace`, trace, 5 * B * T * U),
    dGates!.values,
    dKernel!.values,
    dHidden!.values,
    dCell!.values,
    B,
    T,
    U,
  );
  return [dGates!.info, dKernel!.info, dHidden!.info, dCell!.info];
};

const gru: NativeKernel = (backend, { gates, kernel, bias, hidden }) => {
  const where = "SoftboxGru";
  const { B, T, U } = sizesOf(where, gates, kernel, 3);
  const [output, trace] = [
    [B, T, U],
    [B, T, 4 * U],
  ].map((shape) => backend.newFloats(shape));
  backend.addon.gru(
    floatInput(backend, `${where} gates`, gates, 3 * B * T * U),
    floatInput(backend, `${where} kernel`, kernel),
    floatInput(backend, `${where} bias`, bias, 3 * U),
    floatInput(backend, `${where} hidden`, hidden, B * U),
    output!.values,
    trace!.values,
    B,
    T,
    U,
  );
  return [output!.info, trace!.info];
};

const gruGrad: NativeKernel = (backend, { dOutput, kernel, hidden, output, trace }) => {
  const where = "SoftboxGruGrad";
  const { B, T, U } = sizesOf(where, dOutput, kernel, 3);
  const shapes = [[B, T, 3 * U], [U, 3 * U], [3 * U], [B, U]];
  const [dGates, dKernel, dBias, dHidden] = shapes.map((shape) => backend.newFloats(shape));
  backend.addon.gruGrad(
    floatInput(backend, `${where} dOutput`, dOutput, B * T * U),
    floatInput(backend, `${where} kernel`, kernel),
    floatInput(backend, `${where} hidden`, hidden, B * U),
    floatInput(backend, `${where} output`, output, B * T * U),
    floatInput(backend, `${where} trace`, trace, 4 * B * T * U),
    dGates!.values,
    dKernel!.values,
    dBias!.values,
    dHidden!.values,
    B,
    T,
    U,
  );
  return [dGates!.info, dKernel!.info, dBias!.info, dHidden!.info];
};

const sharedDropout: NativeKernel = (backend, { x }, attributes) => {
  const { rate, key0, key1 } = attributes as { rate: number; key0: number; key1: number };
  const where = "SoftboxSharedDropout";
  const [B, T, n] = shapeOf(`${where} x`, x, 3) as [number, number, number];
  if (!(rate >= 0 && rate < 1)) throw new RangeError(`${where} rate: must be in [0, 1), got ${rate}`);
  const values = floatInput(backend, `${where} x`, x);
  const y = backend.newFloats([B, T, n]);
  const mask = new Float32Array(B * n).fill(1);
  backend.addon.dropout(mask, mask, B * n, rate, key0, key1);
  for (let b = 0; b < B; b++) {
    const [from, to] = [values.subarray(b * T * n, (b + 1) * T * n), y.values.subarray(b * T * n, (b + 1) * T * n)];
    const row = mask.subarray(b * n, (b + 1) * n);
    backend.addon.binary(binaryOperations.Multiply, from, n, 1, row, 0, 1, to, T, n);
  }
  return y.info;
};

export const recurrentKernels: Readonly<Record<string, NativeKernel>> = {
  SoftboxLstm: lstm,
  SoftboxLstmGrad: lstmGrad,
  SoftboxGru: gru,
  SoftboxGruGrad: gruGrad,
  SoftboxSharedDropout: sharedDropout,
};
