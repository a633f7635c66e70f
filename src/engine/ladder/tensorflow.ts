/**
 * @file TensorFlow's own kernels through `@tensorflow/tfjs-node-gpu`, where `softbox doctor --install tensorflow` has put a
 * libtensorflow in place. The library takes a second and hundreds of megabytes to load: `auto` does so only where it may drive a GPU.
 */
import { SandboxError } from "../errors.ts";
import { registerTensorflowKernels } from "../tensorflow/backend.ts";
import { nvidiaCards } from "../tensorflow/gpu.ts";
import { type Loaded, loadTensorflow } from "../tensorflow/load.ts";
import { findPlaced, packageName } from "../tensorflow/place.ts";
import type { Inspection, InspectOptions, Rung } from "./ladder.ts";

const install = "npm run tensorflow, or softbox doctor --install tensorflow; with an NVIDIA GPU add --cuda.";

const reasons = {
  package: `${packageName} is not installed`,
  binding: `${packageName} has no compiled binding`,
  library: `${packageName} has a binding, and its libtensorflow is gone`,
} as const;

async function inspect(options: InspectOptions): Promise<Inspection> {
  const placed = findPlaced();
  if (placed.missing) return { usable: false, reason: reasons[placed.missing], hint: install };
  const version = placed.manifest ? `libtensorflow ${placed.manifest.version}` : "libtensorflow";
  const mayDrive = placed.manifest?.build !== "cpu" && nvidiaCards().length > 0;
  if (options.lightly && !mayDrive) return { usable: true, gpu: false, details: `${version}, CPU` };
  try {
    const loaded = await loadTensorflow(options);
    return { usable: true, gpu: loaded.gpu, details: describe(loaded) };
  } catch (error) {
    const reason = `the binding does not load: ${(error as Error).message.split("\n")[0]}`;
    return { usable: false, reason, hint: `${install} It compiles the binding anew.` };
  }
}

/** Version and device; and where a GPU is here that is not used, why. */
function describe({ version, gpu }: Loaded): string {
  const cards = nvidiaCards();
  const library = `libtensorflow ${version}`;
  if (gpu) return `${library}, GPU: ${cards.join(", ") || "NVIDIA"}`;
  return cards.length ? `${library}, CPU, though there is a GPU: ${cards.join(", ")}` : `${library}, CPU`;
}

/** What to tell somebody who has a GPU and computes on the CPU. */
function missedGpu({ gpu }: Loaded): string | undefined {
  const cards = nvidiaCards();
  if (gpu || cards.length === 0) return undefined;
  const start = `engine tensorflow: it computes on the CPU, though there is a GPU (${cards.join(", ")}): `;
  if (findPlaced().manifest?.build !== "cuda")
    return `${start}this libtensorflow is built for CPUs. npm run tensorflow -- --cuda fetches the one for CUDA 12.`;
  return `${start}CUDA's libraries or the driver do not load. TF_CPP_MIN_LOG_LEVEL=0 shows what TensorFlow says of it.`;
}

export const tensorflowRung: Rung = {
  name: "tensorflow",
  inspect,
  start: async (options) => {
    const loaded = await loadTensorflow(options);
    if (loaded.threads !== undefined && options.threads !== undefined && loaded.threads !== options.threads)
      throw new SandboxError(
        `engine tensorflow: it runs with ${loaded.threads} threads, and their number cannot change to ${options.threads}`,
        "Start another process.",
      );
    const missed = missedGpu(loaded);
    if (missed) options.onLine?.(missed);
    registerTensorflowKernels();
    return { backendName: "tensorflow", details: describe(loaded) };
  },
};
