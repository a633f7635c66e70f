/** @file BatchMatMul, _FusedMatMul and the affine maps of layers over the packed C++ product. */
import type { NativeBackend } from "./backend.ts";
import { floatInput, floatsOf, type NativeKernel, shapeOf, sizeOf, type Tensors, tf } from "./kernel.ts";

/** Epilogues the addon knows, by tfjs's names; the numbers are those of native/kernels.h. */
const activations: Readonly<Record<string, number>> = { linear: 0, relu: 1, relu6: 2, elu: 3, sigmoid: 4 };

/** Known to native/fewrows.h. */
const mostFewRows = 8;

interface Product {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly batch: number;
  readonly strideA: number;
  readonly strideB: number;
  readonly shape: number[];
}

/** Sizes of a product, or `undefined` where batches mix in a way that is left to the cpu kernel. */
function productOf(a: tf.TensorInfo, b: tf.TensorInfo, ta: boolean, tb: boolean): Product | undefined {
  const [lastA, lastB] = [a.shape.slice(-2) as [number, number], b.shape.slice(-2) as [number, number]];
  const [m, k] = ta ? [lastA[1], lastA[0]] : lastA;
  const [kb, n] = tb ? [lastB[1], lastB[0]] : lastB;
  if (k !== kb) return undefined; // the cpu kernel's error names the shapes
  const [outerA, outerB] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
  const [batchA, batchB] = [sizeOf(outerA), sizeOf(outerB)];
  if (batchA !== batchB && batchA !== 1 && batchB !== 1) return undefined;
  const outer = tf.backend_util.assertAndGetBroadcastShape(outerA, outerB);
  const batch = sizeOf(outer);
  if (batch !== Math.max(batchA, batchB)) return undefined; // [2, 1] with [1, 2]
  const shape = [...outer, m, n];
  if (batchB === 1 && !ta) return { m: batch * m, n, k, batch: 1, strideA: 0, strideB: 0, shape };
  return { m, n, k, batch, strideA: batchA === 1 ? 0 : m * k, strideB: batchB === 1 ? 0 : k * n, shape };
}

function multiply(
  backend: NativeBackend,
  { a, b, bias }: Tensors,
  attributes: Readonly<Record<string, unknown>>,
  activation: number,
): tf.TensorInfo | undefined {
  const left = floatsOf(backend, a);
  const right = floatsOf(backend, b);
  const offset = bias ? floatsOf(backend, bias) : null;
  if (!left || !right || offset === undefined) return undefined;
  const ta = attributes.transposeA === true;
  const tb = attributes.transposeB === true;
  const p = productOf(a!, b!, ta, tb);
  if (!p || (offset && (offset.length !== p.n || bias!.shape.at(-1) !== p.n))) return undefined;
  const { info, values } = backend.newFloats(p.shape);
  const halves = fewRowsOf(backend, p.m, b!);
  if (halves && p.batch === 1 && !ta && activation === 0) {
    backend.addon.matmulHalves(left, halves, values, p.m, p.n, p.k, tb, offset);
    return info;
  }
  backend.addon.matmul(left, right, values, p.m, p.n, p.k, ta, tb, offset, activation, p.batch, p.strideA, p.strideB);
  return info;
}

/** The right side of a product of few rows as bfloat16, where such a copy is kept and products round. */
const fewRowsOf = (backend: NativeBackend, rows: number, right: tf.TensorInfo): Uint16Array | undefined =>
  rows > 0 && rows <= mostFewRows && backend.addon.rounds() ? backend.halvesOf(right) : undefined;

const fusedMatMul: NativeKernel = (backend, inputs, attributes) => {
  const activation = activations[String(attributes.activation ?? "linear")];
  if (activation === undefined || inputs.preluActivationWeights) return undefined;
  return multiply(backend, inputs, attributes, activation);
};

interface LinearSizes {
  readonly rows: number;
  readonly inputs: number;
  readonly outputs: number;
}

function linearSizes(where: string, { x, kernel }: Tensors): LinearSizes {
  const [rows, inputs] = shapeOf(`${where} x`, x, 2) as [number, number];
  const [depth, outputs] = shapeOf(`${where} kernel`, kernel, 2) as [number, number];
  if (depth !== inputs) throw new RangeError(`${where} kernel: expected ${inputs} rows, got ${depth}`);
  return { rows, inputs, outputs };
}

/** `x · kernel + bias`, then `+ residual`; or its GELU, with the derivative there as a second output. */
const linearKernel =
  (where: string, gelu: boolean): NativeKernel =>
  (backend, tensors) => {
    const { rows, inputs, outputs } = linearSizes(where, tensors);
    const { x, kernel, bias, residual } = tensors;
    const y = backend.newFloats([rows, outputs]);
    const slope = gelu ? backend.newFloats([rows, outputs]) : undefined;
    const values = floatInput(backend, `${where} x`, x);
    const halves = fewRowsOf(backend, rows, kernel!);
    const rest = [
      floatInput(backend, `${where} bias`, bias, outputs),
      residual ? floatInput(backend, `${where} residual`, residual, rows * outputs) : null,
      slope?.values ?? null,
      y.values,
      rows,
      inputs,
      outputs,
    ] as const;
    if (halves) backend.addon.linearHalves(values, halves, ...rest);
    else backend.addon.linear(values, floatInput(backend, `${where} kernel`, kernel), ...rest);
    return slope ? [y.info, slope.info] : y.info;
  };

const linearGrad: NativeKernel = (backend, tensors) => {
  const where = "SoftboxLinearGrad";
  const { rows, inputs, outputs } = linearSizes(where, tensors);
  const { dy, x, kernel, slope } = tensors;
  const [dx, dKernel, dBias] = [[rows, inputs], [inputs, outputs], [outputs]].map((shape) => backend.newFloats(shape));
  backend.addon.linearGrad(
    floatInput(backend, `${where} dy`, dy, rows * outputs),
    floatInput(backend, `${where} x`, x),
    floatInput(backend, `${where} kernel`, kernel),
    slope ? floatInput(backend, `${where} slope`, slope, rows * outputs) : null,
    dx!.values,
    dKernel!.values,
    dBias!.values,
    rows,
    inputs,
    outputs,
  );
  return [dx!.info, dKernel!.info, dBias!.info];
};

export const matmulKernels: Readonly<Record<string, NativeKernel>> = {
  BatchMatMul: (backend, { a, b }, attributes) => multiply(backend, { a: a!, b: b! }, attributes, 0),
  _FusedMatMul: fusedMatMul,
  SoftboxLinear: linearKernel("SoftboxLinear", false),
  SoftboxLinearResidual: linearKernel("SoftboxLinearResidual", false),
  SoftboxLinearGelu: linearKernel("SoftboxLinearGelu", true),
  SoftboxLinearGrad: linearGrad,
};
