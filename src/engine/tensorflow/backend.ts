/** @file Registers our fused operations with TensorFlow's backend; those without a kernel here run as composites of tfjs. */
import * as tf from "@tensorflow/tfjs";
import type { Attributes, Inputs } from "../fused.ts";
import { fusedKernels } from "../ops/table.ts";
import { adamW } from "./kernels-adamW.ts";
import { attentionKernels } from "./kernels-attention.ts";
import { layerKernels } from "./kernels-layers.ts";
import { vocabularyKernels } from "./kernels-vocabulary.ts";
import type { TensorflowBackend } from "./load.ts";
import { runKernel, type TensorflowKernel, type Tensors } from "./scope.ts";

const kernels: Readonly<Record<string, TensorflowKernel>> = {
  ...attentionKernels,
  ...layerKernels,
  ...vocabularyKernels,
  SoftboxAdamW: adamW,
};

/** Call it once the package is loaded; again, it does nothing. */
export function registerTensorflowKernels(): void {
  for (const [kernelName, kernel] of Object.entries(kernels)) {
    if (tf.getKernel(kernelName, "tensorflow")) continue;
    const { composite } = fusedKernels.find(({ name }) => name === kernelName)!;
    tf.registerKernel({
      kernelName,
      backendName: "tensorflow",
      kernelFunc: ({ inputs, backend, attrs = {} }) =>
        runKernel(backend as TensorflowBackend, kernel, inputs as Tensors, attrs) ??
        (tf.tidy(() => composite(inputs as Inputs, attrs as unknown as Attributes)) as tf.TensorInfo),
    });
  }
}
