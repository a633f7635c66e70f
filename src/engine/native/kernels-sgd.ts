/** @file Fused gradient descent over all parameters. */
import type { NativeBackend } from "./backend.ts";
import { floatInput, type NativeKernel, sizeOf, type Tensors } from "./kernel.ts";

interface SgdAttributes {
  readonly count: number;
  readonly learningRate: number;
  readonly weightDecay: readonly number[];
  readonly clipNorm: number;
  readonly share: number;
}

/** The arrays p0…, g0…, and a0… where averages are kept; p and a are updated in place, so none may be a converted copy. */
function arraysOf(backend: NativeBackend, inputs: Tensors, count: number): Float32Array[] {
  const kinds = inputs.a0 ? ["p", "g", "a"] : ["p", "g"];
  const names = kinds.flatMap((kind) => Array.from({ length: count }, (_, i) => `${kind}${i}`));
  return names.map((name, i) => {
    const size = sizeOf(inputs[`p${i % count}`]?.shape ?? []);
    const values = floatInput(backend, `SoftboxSgd ${name}`, inputs[name], size);
    if (!name.startsWith("g") && values !== backend.valuesOf(inputs[name]!))
      throw new TypeError(`SoftboxSgd ${name}: its data are integers, cast it first`);
    return values;
  });
}

const sgd: NativeKernel = (backend, inputs, attributes) => {
  const { count, learningRate, weightDecay, clipNorm, share } = attributes as unknown as SgdAttributes;
  if (weightDecay.length !== count)
    throw new RangeError(`SoftboxSgd weightDecay: expected ${count} numbers, got ${weightDecay.length}`);
  const arrays = arraysOf(backend, inputs, count);
  const sizes = Float64Array.from(arrays.slice(0, count), (x) => x.length);
  const norm = backend.newFloats([]);
  const decay = Float64Array.from(weightDecay);
  norm.values[0] = backend.addon.sgd(arrays, sizes, decay, count, learningRate, clipNorm, share);
  return norm.info;
};

export const sgdKernels: Readonly<Record<string, NativeKernel>> = { SoftboxSgd: sgd };
