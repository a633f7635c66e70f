/** @file A GPU through WebGPU: Dawn in Node (`webgpu`) under tfjs's backend, both installed on demand. */
import * as tf from "@tensorflow/tfjs";
import type { Inspection, Rung } from "./ladder.ts";

/** The little of Dawn's face that is used here. */
interface Dawn {
  create(flags: string[]): { requestAdapter(): Promise<Adapter | null> };
  readonly globals: object;
}
interface Adapter {
  readonly info: { readonly vendor: string; readonly description: string };
  readonly isFallbackAdapter?: boolean;
}

/** Names in variables, so that TypeScript does not look for packages that may be absent. */
const packages = { dawn: "webgpu", backend: "@tensorflow/tfjs-backend-webgpu" };
const hint = "npm install --no-save webgpu@0.6.2 @tensorflow/tfjs-backend-webgpu@4.22.0";

/** Software adapters that Dawn may offer; slower than the native engine. */
const software = /llvmpipe|lavapipe|swiftshader/i;

async function findAdapter(): Promise<Adapter | null> {
  const { create, globals } = (await import(packages.dawn)) as Dawn;
  Object.assign(globalThis, globals);
  const gpu = create([]);
  const navigator = (globalThis as { navigator?: object }).navigator ?? {};
  Object.defineProperty(navigator, "gpu", { value: gpu, configurable: true });
  Object.defineProperty(globalThis, "navigator", { value: navigator, configurable: true });
  return gpu.requestAdapter();
}

async function inspect(): Promise<Inspection> {
  try {
    const adapter = await findAdapter();
    if (!adapter)
      return { usable: false, reason: "no WebGPU adapter", hint: "A driver for Vulkan, Metal or D3D12 is needed." };
    const name = adapter.info.description || adapter.info.vendor;
    return { usable: true, gpu: !adapter.isFallbackAdapter && !software.test(name), details: name };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_MODULE_NOT_FOUND")
      return { usable: false, reason: "its packages are not installed", hint };
    return { usable: false, reason: `Dawn does not load: ${(error as Error).message.split("\n")[0]}`, hint };
  }
}

export const webgpuRung: Rung = {
  name: "webgpu",
  inspect,
  start: async () => {
    const adapter = await findAdapter();
    await import(packages.backend);
    if (!adapter || !(await tf.setBackend("webgpu"))) throw new Error("webgpu: the adapter was lost while starting");
    return { backendName: "webgpu", details: adapter.info.description || adapter.info.vendor };
  },
};
