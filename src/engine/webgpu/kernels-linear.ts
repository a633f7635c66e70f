/** @file Affine maps of a layer (`ops/linear.ts`): bias, residual and GELU are taken in as the product is written; and their gradients. */
import { columnSums } from "./columnSums.ts";
import type { WebgpuBackend } from "./device.ts";
import { type Ending, type Factors, product, productInto } from "./product.ts";
import { eachElement, elementThreads, groupsOf, type Program, run } from "./program.ts";
import { smoothFunctions } from "./scores.ts";
import { areWhole, newFloats, sizeOf, type Tensors, type WebgpuKernel } from "./tensors.ts";

/** `½ x (1 + tanh u) = x σ(2u)` with `2u = 2 √(2/π) (x + 0.044715 x³)`; and its slope `σ + x σ (1 − σ) 2u′`. */
const geluFunctions = `${smoothFunctions}
fn gateOf(x: f32) -> f32 { return ${2 * Math.sqrt(2 / Math.PI)} * x * (1.0 + 0.044715 * x * x); }
fn geluOf(x: f32) -> f32 { return x * sigmoidOf(gateOf(x)); }
fn geluSlopeOf(x: f32) -> f32 {
  let s = sigmoidOf(gateOf(x));
  return s + x * s * (1.0 - s) * ${2 * Math.sqrt(2 / Math.PI)} * (1.0 + 3.0 * 0.044715 * x * x);
}`;

const affineEnding: Ending = {
  name: "linear",
  reads: { bias: "f32" },
  writes: { y: "f32" },
  code: "fn finish(row: u32, column: u32, at: u32, sum: f32) { y[at] = sum + bias[column]; }",
};
const residualEnding: Ending = {
  name: "linearResidual",
  reads: { bias: "f32", residual: "f32" },
  writes: { y: "f32" },
  code: "fn finish(row: u32, column: u32, at: u32, sum: f32) { y[at] = sum + bias[column] + residual[at]; }",
};
const geluEnding: Ending = {
  name: "linearGelu",
  reads: { bias: "f32" },
  writes: { y: "f32", slope: "f32" },
  code: `${geluFunctions}
fn finish(row: u32, column: u32, at: u32, sum: f32) {
  let x = sum + bias[column];
  y[at] = geluOf(x);
  slope[at] = geluSlopeOf(x);
}`,
};

const geluProgram: Program = {
  name: "gelu",
  reads: { x: "f32" },
  writes: { y: "f32" },
  numbers: { size: "u32" },
  code: `${geluFunctions}${eachElement("\n    y[i] = geluOf(x[i]);")}`,
};
const geluGradProgram: Program = {
  name: "geluGrad",
  reads: { dy: "f32", x: "f32" },
  writes: { dx: "f32" },
  numbers: { size: "u32" },
  code: `${geluFunctions}${eachElement("\n    dx[i] = dy[i] * geluSlopeOf(x[i]);")}`,
};

/** The product of x `[N, I]` and a kernel `[I, O]`. */
function factorsOf({ x, kernel }: Tensors): Factors {
  const [M, K] = x!.shape as [number, number];
  return { a: x!, b: kernel!, M, N: kernel!.shape[1]!, K };
}

const affine =
  (ending: Ending): WebgpuKernel =>
  (backend, { x, kernel, ...rest }) => {
    if (!areWhole(backend, [x!, kernel!, ...Object.values(rest)])) return undefined;
    const factors = factorsOf({ x: x!, kernel: kernel! });
    const results = Object.keys(ending.writes).map(
      (name) => [name, newFloats(backend, [factors.M, factors.N])] as const,
    );
    productInto(backend, factors, ending, { ...rest, ...Object.fromEntries(results) });
    return results.length === 1 ? results[0]![1] : results.map(([, tensor]) => tensor);
  };

function overAll(backend: WebgpuBackend, program: Program, bound: Tensors, shape: number[]): void {
  const size = sizeOf(shape);
  run(backend, program, bound, { size }, groupsOf(backend, Math.ceil(size / elementThreads)));
}

const gelu: WebgpuKernel = (backend, { x }) => {
  if (!areWhole(backend, [x!])) return undefined;
  const y = newFloats(backend, x!.shape);
  overAll(backend, geluProgram, { x: x!, y }, x!.shape);
  return y;
};

const geluGrad: WebgpuKernel = (backend, { dy, x }) => {
  if (!areWhole(backend, [dy!, x!])) return undefined;
  const dx = newFloats(backend, x!.shape);
  overAll(backend, geluGradProgram, { dy: dy!, x: x!, dx }, x!.shape);
  return dx;
};

const timesProgram: Program = {
  name: "times",
  reads: { dy: "f32", slope: "f32" },
  writes: { back: "f32" },
  numbers: { size: "u32" },
  code: eachElement("\n    back[i] = dy[i] * slope[i];"),
};

/** `slope`: of the activation that y went through, if any. */
const affineGrad: WebgpuKernel = (backend, inputs) => {
  if (!areWhole(backend, Object.values(inputs))) return undefined;
  const { dy, x, kernel, slope } = inputs;
  const { M: N, N: O, K: I } = factorsOf(inputs);
  const back = slope ? newFloats(backend, [N, O]) : dy!;
  if (slope) overAll(backend, timesProgram, { dy: dy!, slope, back }, [N, O]);
  const [dx, dKernel] = [newFloats(backend, [N, I]), newFloats(backend, [I, O])];
  product(backend, { a: back, b: kernel!, M: N, N: I, K: O, transposeB: true }, dx);
  product(backend, { a: x!, b: back, M: I, N: O, K: N, transposeA: true }, dKernel);
  const dBias = columnSums(backend, back);
  if (slope) backend.disposeData(back.dataId);
  return [dx, dKernel, dBias];
};

export const linearKernels: Readonly<Record<string, WebgpuKernel>> = {
  SoftboxLinear: affine(affineEnding),
  SoftboxLinearResidual: affine(residualEnding),
  SoftboxLinearGelu: affine(geluEnding),
  SoftboxLinearGrad: affineGrad,
  SoftboxGelu: gelu,
  SoftboxGeluGrad: geluGrad,
};
