/** @file Registers our fused operations with tfjs's WebGPU backend; those without a kernel here run as composites of tfjs. */
import * as tf from "@tensorflow/tfjs";
import type { Attributes, Inputs } from "../fused.ts";
import { fusedKernels } from "../ops/table.ts";
import type { WebgpuBackend } from "./device.ts";
import { adamW } from "./kernels-adamW.ts";
import { attentionKernels } from "./kernels-attention.ts";
import { cachedAttentionKernels } from "./kernels-cachedAttention.ts";
import { embedKernels } from "./kernels-embed.ts";
import { linearKernels } from "./kernels-linear.ts";
import { normKernels } from "./kernels-norms.ts";
import { vocabularyKernels } from "./kernels-vocabulary.ts";
import type { Tensors, WebgpuKernel } from "./tensors.ts";

const kernels: Readonly<Record<string, WebgpuKernel>> = {
  ...attentionKernels,
  ...cachedAttentionKernels,
  ...embedKernels,
  ...linearKernels,
  ...normKernels,
  ...vocabularyKernels,
  SoftboxAdamW: adamW,
};

/** Call it before the engine's composites are registered; again, it does nothing. */
export function registerWebgpuKernels(): void {
  for (const [kernelName, kernel] of Object.entries(kernels)) {
    if (tf.getKernel(kernelName, "webgpu")) continue;
    const { composite } = fusedKernels.find(({ name }) => name === kernelName)!;
    tf.registerKernel({
      kernelName,
      backendName: "webgpu",
      kernelFunc: ({ inputs, backend, attrs = {} }) =>
        kernel(backend as WebgpuBackend, inputs as Tensors, attrs) ??
        (tf.tidy(() => composite(inputs as Inputs, attrs as unknown as Attributes)) as tf.TensorInfo),
    });
  }
}
