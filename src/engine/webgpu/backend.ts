/** @file Makes tfjs's WebGPU backend an engine of ours. */
import * as tf from "@tensorflow/tfjs";
import { boundPool } from "./buffers.ts";
import { correctKernels } from "./corrections.ts";
import { guard } from "./guard.ts";
import { registerWebgpuKernels } from "./kernels.ts";
import { type LoadedWebgpu, loadWebgpu } from "./load.ts";

/** Registers the backend with tfjs as `webgpu`; again, it does nothing. */
export async function registerWebgpuBackend(): Promise<LoadedWebgpu> {
  const loaded = await loadWebgpu();
  if (tf.engine().findBackendFactory("webgpu")) return loaded;
  guard(loaded.backend);
  boundPool(loaded.backend);
  correctKernels(loaded);
  registerWebgpuKernels();
  tf.registerBackend("webgpu", () => loaded.backend);
  return loaded;
}
