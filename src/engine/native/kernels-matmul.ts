/** @file BatchMatMul and _FusedMatMul over the packed C++ product. */
import type { NativeBackend } from "./backend.ts";
import { floatsOf, type NativeKernel, sizeOf, type Tensors, tf } from "./kernel.ts";

/** Epilogues the addon knows, by tfjs's names; the numbers are those of native/kernels.h. */
const activations: Readonly<Record<string, number>> = { linear: 0, relu: 1, relu6: 2, elu: 3, sigmoid: 4 };

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
  backend.addon.matmul(left, right, values, p.m, p.n, p.k, ta, tb, offset, activation, p.batch, p.strideA, p.strideB);
  return info;
}

const fusedMatMul: NativeKernel = (backend, inputs, attributes) => {
  const activation = activations[String(attributes.activation ?? "linear")];
  if (activation === undefined || inputs.preluActivationWeights) return undefined;
  return multiply(backend, inputs, attributes, activation);
};

export const matmulKernels: Readonly<Record<string, NativeKernel>> = {
  BatchMatMul: (backend, { a, b }, attributes) => multiply(backend, { a: a!, b: b! }, attributes, 0),
  _FusedMatMul: fusedMatMul,
  SoftboxLinear: (backend, { x, kernel, bias }) => multiply(backend, { a: x!, b: kernel!, bias: bias! }, {}, 0),
};
