/** @file Fused kernels of layers in the form of LLaMA: RMS norm, SwiGLU, rotary positions. */
import { anglesOf } from "../ops/rotaryAngles.ts";
import { floatInput, type NativeKernel, shapeOf } from "./kernel.ts";

const rmsNorm: NativeKernel = (backend, { x, gain }, { epsilon }) => {
  const where = "SoftboxRmsNorm";
  const [rows, columns] = shapeOf(`${where} x`, x, 2) as [number, number];
  const y = backend.newFloats(x!.shape);
  backend.addon.rmsNorm(
    floatInput(backend, `${where} x`, x),
    floatInput(backend, `${where} gain`, gain, columns),
    y.values,
    rows,
    columns,
    epsilon as number,
  );
  return y.info;
};

const rmsNormGrad: NativeKernel = (backend, { dy, x, gain }, { epsilon }) => {
  const where = "SoftboxRmsNormGrad";
  const [rows, columns] = shapeOf(`${where} x`, x, 2) as [number, number];
  const [dx, dgain] = [x!.shape, [columns]].map((shape) => backend.newFloats(shape));
  backend.addon.rmsNormGrad(
    floatInput(backend, `${where} dy`, dy, rows * columns),
    floatInput(backend, `${where} x`, x),
    floatInput(backend, `${where} gain`, gain, columns),
    dx!.values,
    dgain!.values,
    rows,
    columns,
    epsilon as number,
  );
  return [dx!.info, dgain!.info];
};

/** Rows and half the width of gates and values side by side. */
function gatedSizes(where: string, x: Parameters<NativeKernel>[1][string] | undefined): [number, number] {
  const [rows, width] = shapeOf(`${where} x`, x, 2) as [number, number];
  if (width % 2 !== 0) throw new RangeError(`${where} x: expected an even last axis, got ${width}`);
  return [rows, width / 2];
}

const swiglu: NativeKernel = (backend, { x }) => {
  const [rows, columns] = gatedSizes("SoftboxSwiglu", x);
  const y = backend.newFloats([rows, columns]);
  backend.addon.swiglu(floatInput(backend, "SoftboxSwiglu x", x), y.values, rows, columns);
  return y.info;
};

const swigluGrad: NativeKernel = (backend, { dy, x }) => {
  const where = "SoftboxSwigluGrad";
  const [rows, columns] = gatedSizes(where, x);
  const slopes = floatInput(backend, `${where} dy`, dy, rows * columns);
  const dx = backend.newFloats(x!.shape);
  backend.addon.swigluGrad(slopes, floatInput(backend, `${where} x`, x), dx.values, rows, columns);
  return dx.info;
};

const rotary: NativeKernel = (backend, { qkv }, attributes) => {
  const where = "SoftboxRotary";
  const [B, T, width] = shapeOf(`${where} qkv`, qkv, 3) as [number, number, number];
  const { heads, base, start, inverse } = attributes as Record<"heads" | "base" | "start" | "inverse", number>;
  if (width % (6 * heads) !== 0) throw new RangeError(`${where}: 6 · heads must divide the last axis, got ${width}`);
  const out = backend.newFloats(qkv!.shape);
  const angles = anglesOf(start, T, width / 3 / heads, base);
  const values = floatInput(backend, `${where} qkv`, qkv);
  backend.addon.rotary(values, angles, out.values, B, T, width / 3, heads, inverse === 1);
  return out.info;
};

export const layerKernels: Readonly<Record<string, NativeKernel>> = {
  SoftboxRmsNorm: rmsNorm,
  SoftboxRmsNormGrad: rmsNormGrad,
  SoftboxSwiglu: swiglu,
  SoftboxSwigluGrad: swigluGrad,
  SoftboxRotary: rotary,
};
