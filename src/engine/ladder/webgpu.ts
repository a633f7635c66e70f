/** @file A GPU through WebGPU: Dawn in Node under tfjs's backend, where `softbox doctor --install webgpu` has put both in place. */
import { registerWebgpuBackend } from "../webgpu/backend.ts";
import { findAdapter, type GpuAdapter, isSoftware, nameOf } from "../webgpu/dawn.ts";
import { isPlaced } from "../webgpu/place.ts";
import type { Inspection, Rung } from "./ladder.ts";

const install = "npm run webgpu, or softbox doctor --install webgpu.";

/** What Dawn finds an adapter through. */
const drivers: Readonly<Record<string, string>> = {
  linux:
    "It wants a driver for Vulkan: NVIDIA's own, or Mesa's (package mesa-vulkan-drivers) for AMD, Intel and others; vulkaninfo lists what is there.",
  darwin: "It wants Metal, which every Mac with macOS 11 or later has.",
  win32: "It wants a driver for Direct3D 12 or Vulkan: that of the GPU's maker.",
};

const describe = (adapter: GpuAdapter): string =>
  `${nameOf(adapter)}${isSoftware(adapter) ? ", software on the processor" : ""}`;

async function inspect(): Promise<Inspection> {
  if (!isPlaced()) return { usable: false, reason: "its packages are not installed", hint: install };
  try {
    const adapter = await findAdapter();
    if (adapter) return { usable: true, gpu: !isSoftware(adapter), details: describe(adapter) };
    const hint = drivers[process.platform] ?? "It wants a driver for Vulkan.";
    return { usable: false, reason: "Dawn finds no GPU, nor a driver that stands in for one", hint };
  } catch (error) {
    const reason = `Dawn does not load: ${(error as Error).message.split("\n")[0]}`;
    return { usable: false, reason, hint: `${install} Before that, softbox doctor --remove webgpu.` };
  }
}

export const webgpuRung: Rung = {
  name: "webgpu",
  inspect,
  start: async () => {
    const { adapter } = await registerWebgpuBackend();
    return { backendName: "webgpu", details: describe(adapter) };
  },
};
