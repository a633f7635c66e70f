/** @file Kernels of tfjs's WebGPU backend that fail on some input, made whole. Each says what fails without it. */
import * as tf from "@tensorflow/tfjs";
import type { LoadedWebgpu } from "./load.ts";

type Inputs = Readonly<Record<string, tf.TensorInfo>>;
type Kernel = (
  inputs: Inputs,
  attributes: tf.NamedAttrMap | undefined,
  original: Original,
) => tf.TensorInfo | tf.TensorInfo[];
/** tfjs's kernel. */
type Original = (inputs: Inputs, attributes?: tf.NamedAttrMap) => tf.TensorInfo;

/** A program sees so many arrays and no more: the sum of many has to be one of sums. */
const addN =
  (mostInputs: number): Kernel =>
  (inputs, attributes, original) => {
    const terms = Object.values(inputs);
    if (terms.length <= mostInputs) return original(inputs, attributes);
    return tf.tidy(() => {
      let rest = terms as tf.Tensor[];
      while (rest.length > 1) {
        const sum = tf.addN(rest.slice(0, mostInputs));
        rest = [sum, ...rest.slice(mostInputs)];
      }
      return rest[0]!;
    });
  };

/** Call it once, after tfjs's kernels are there. */
export function correctKernels({ device }: LoadedWebgpu): void {
  correct(tf.AddN, addN(device.limits.maxStorageBuffersPerShaderStage! - 1));
}

function correct(kernelName: string, kernel: Kernel): void {
  const { kernelFunc, ...config } = tf.getKernel(kernelName, "webgpu");
  tf.unregisterKernel(kernelName, "webgpu");
  tf.registerKernel({
    ...config,
    kernelFunc: ({ inputs, attrs, backend }) => {
      const original: Original = (given, attributes) =>
        kernelFunc({
          inputs: given as tf.NamedTensorInfoMap,
          backend,
          ...(attributes ? { attrs: attributes } : {}),
        }) as tf.TensorInfo;
      return kernel(inputs as Inputs, attrs, original);
    },
  });
}
